"""How a phase goes from 0 to 1."""
