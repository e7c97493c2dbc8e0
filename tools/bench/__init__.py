"""Benchmarks: ours and Stable-Baselines3 side by side, and what each algorithm reaches over seeds."""
