"""Benchmarks of funcsched against optax, torch and transformers: ``python -m benchmarks`` writes RESULTS.md."""
