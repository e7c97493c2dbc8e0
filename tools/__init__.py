"""Scripts of the maintainers: none of them is needed to take the course."""
