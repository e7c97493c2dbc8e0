"""What moves in the page: figures with sliders, a game, agents at work."""
