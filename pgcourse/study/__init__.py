"""Studies: runs over many seeds and their comparison, measured figures, named bugs and how to diagnose them."""
