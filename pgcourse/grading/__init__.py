"""The classroom: assignments out (`assignment*`, `release`), submissions in and graded."""
