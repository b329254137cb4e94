"""The documentation, and the scripts that write what of it is generated."""
