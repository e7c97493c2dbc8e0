"""Hand out: the notebooks of a class, its teacher's key, and `release.json`."""
