"""Experiments: many seeds, and figures for the prose."""
