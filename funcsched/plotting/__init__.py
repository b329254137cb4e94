"""Plots of schedules: figures in files, SVG in notebooks, and text in terminals."""
