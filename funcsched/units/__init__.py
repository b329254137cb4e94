"""Conversion between updates and other units: samples, tokens, epochs and fractions of a run."""
