"""One module for each framework, named after it; importing this package imports none of them."""
