"""Unit 06: alarms from metrics, and the twelve patients of the clinic."""
