"""Right answers to patient_12 in other styles."""

import torch


def right_with_distribution(logits):
    return torch.distributions.Categorical(logits=logits).entropy()


def right_plain(logits):
    probs = logits.softmax(dim=-1)
    return -(probs * probs.log()).sum(-1)


def right_with_normaliser(logits):
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


def right_with_loop(logits):
    rows = []
    for row in logits:
        weights = (row - row.max()).exp()
        probs = weights / weights.sum()
        rows.append(torch.special.entr(probs).sum())
    return torch.stack(rows)
