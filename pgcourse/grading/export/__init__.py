"""Marks on their way into a learning system: `graded` reads them, and each system has a file of its own."""
