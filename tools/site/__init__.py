"""Build the published site from the committed notebooks, documents and docstrings."""
