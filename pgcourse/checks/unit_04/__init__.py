"""Unit 04: the parts of PPO, then the update that uses them."""
