"""Unit 01: the parts of REINFORCE, then the update that uses them."""
