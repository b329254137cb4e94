"""Guarantees and speed on the accelerator that JAX and torch see: ``python -m benchmarks.device`` writes DEVICE.md."""
