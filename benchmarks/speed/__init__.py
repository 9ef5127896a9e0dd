"""Every figure of speed, each as a ratio in the same run: `python -m benchmarks.speed`."""
