"""Unit 02: what to subtract from the returns, how much variance that takes away, and the update that does it."""
