"""The parts of the notebook builder; `tools.build_notebooks` puts them together."""
