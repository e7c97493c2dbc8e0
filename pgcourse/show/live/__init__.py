"""What lives in the page without a kernel: figures with controls, agents at work, a game, questions."""
