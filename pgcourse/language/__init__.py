"""Policy gradients for language models, at a size that trains on a laptop: tokens are actions, an answer is an episode."""
