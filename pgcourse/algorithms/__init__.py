"""The algorithms, each a file to read at one sitting: a frozen config, presets, `update`, and `train` in full."""
