"""Unit 03: what a critic is worth, from one-step errors to GAE, and the losses of A2C."""
