"""Grading a class: `release` hands out, `quarantine` runs what comes back, `marks` judges it, `grader` does it in order."""
