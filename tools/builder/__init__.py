"""Builds notebooks/, solutions/ and exercises/ from course/."""
