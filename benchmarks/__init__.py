"""funcsched beside its peers, measured in the same run: ``python -m benchmarks`` writes RESULTS.md."""
