"""Shapes: curves from 0 to 1 along a phase."""
