"""Unit 00: log-probability and entropy of a categorical policy, and one step of learning on a bandit."""
