"""Unit 05: continuous control."""
