"""Speed figures, each a ratio within one run: `python -m benchmarks.speed`."""
