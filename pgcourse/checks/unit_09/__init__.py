"""Unit 09: policy gradients on a language model: log-probabilities, advantages, loss, KL, a learnt reward, pass@k."""
