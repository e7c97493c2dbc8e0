"""The child's side of the grader: what runs in the process that runs students' code. No file in here holds answers.

The parent sends the source of these files to a fresh interpreter (`client.py`), where nothing else of the package is.
"""
