"""The benchmarks, one a module: what `python -m benchmarks list` names."""
