"""Unit 07: what a few runs can tell."""
