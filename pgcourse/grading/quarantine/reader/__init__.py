"""Reading what a student handed in, in a process with limits: it runs nothing of the notebook, and holds no answer.

Whatever a file does to a parser, it does to that process. The grader gets bounded, typed data (`quarantine/reading.py`).
"""
