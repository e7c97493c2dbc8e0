"""Read what students handed in without trusting it, and run it: one process tree a submission."""
