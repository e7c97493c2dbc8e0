"""Figures of the lessons, one file a subject."""
