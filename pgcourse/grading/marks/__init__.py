"""Judge values, and write marks, tables and feedback; all of it after the last child is dead."""
