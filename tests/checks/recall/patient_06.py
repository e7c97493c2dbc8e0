"""Answers to patient_06, written from the lesson and the opened patient alone."""

import torch
import torch.nn.functional as F
from torch.distributions import Categorical


def wrong_library_softmax_on_top(scores):
    """Thinks the last line was the bug, and puts log_softmax in its place: still softmax twice."""
    preferences = torch.softmax(scores, dim=-1)
    return F.log_softmax(preferences, dim=-1)


def wrong_probabilities(scores):
    """Takes one softmax away, and with it the logarithm: returns probabilities."""
    return torch.softmax(scores, dim=-1)


def wrong_normalised_over_the_batch(scores):
    """Takes log_softmax over dim=0: the rows of the batch compete with each other."""
    return torch.log_softmax(scores, dim=0)


def wrong_logarithm_with_a_floor(scores):
    """One softmax, and log(p + 1e-8) against log of 0: an action 40 behind gets -18 instead of -40."""
    probs = torch.softmax(scores, dim=-1)
    return torch.log(probs + 1e-8)


def wrong_categorical_of_probabilities(scores):
    """Hands the softmax to Categorical as probs, which cuts probabilities off at the machine's epsilon."""
    return Categorical(probs=scores.softmax(dim=-1)).logits


def wrong_half_mended(scores):
    """Takes the scores for the numerator, and leaves the softmax in the normaliser."""
    preferences = torch.softmax(scores, dim=-1)
    return scores - preferences.logsumexp(dim=-1, keepdim=True)


def wrong_axis_not_kept(scores):
    """Loses keepdim: [B, A] minus [B] fails, or where A = B subtracts the wrong row's normaliser."""
    return scores - scores.logsumexp(dim=-1)


def wrong_normaliser_detached(scores):
    """Treats the normaliser as a constant 'for stability', so each score's gradient ignores the others."""
    return scores - scores.detach().logsumexp(dim=-1, keepdim=True)


def wrong_largest_subtracted_only(scores):
    """Subtracts the maximum, a step of the stable softmax, and takes that for the whole of it."""
    return scores - scores.max(dim=-1, keepdim=True).values


def wrong_each_action_by_itself(scores):
    """Takes the logarithm of the sigmoid of each score: yes-or-no probabilities that do not sum to 1."""
    return F.logsigmoid(scores)


def wrong_scores_held_within_ten(scores):
    """Clamps the scores to -10 ... 10 before the exponential, so sure policies are made less sure."""
    exps = scores.clamp(-10, 10).exp()
    return (exps / exps.sum(dim=-1, keepdim=True)).log()


def right_log_of_softmax(scores):
    """softmax, then log: the smallest probability is about exp(-40), which float32 can hold."""
    return scores.softmax(-1).log()


def right_categorical_of_scores(scores):
    """Lets Categorical(logits=...) normalise, and asks it for the log-probability of each action."""
    distribution = Categorical(logits=scores)
    actions = torch.arange(scores.shape[-1]).unsqueeze(-1).expand(-1, scores.shape[0])  # [A, B]
    return distribution.log_prob(actions).T


def right_pairwise_logaddexp(scores):
    """Folds the columns together with logaddexp, one by one, and subtracts."""
    total = scores[:, 0]
    for column in scores.unbind(dim=1)[1:]:
        total = torch.logaddexp(total, column)
    return scores - total[:, None]


def right_by_differences(scores):
    """-log of the sum of exp(score of b - score of a) over b, from all differences [B, A, A], in double precision."""
    wide = scores.double()
    differences = wide.unsqueeze(1) - wide.unsqueeze(2)  # [B, a, b]
    return -differences.exp().sum(dim=2).log().to(scores.dtype)
