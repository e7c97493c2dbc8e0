"""`pgcourse mark`: a page on this machine alone, in which a person marks what the grader cannot."""
