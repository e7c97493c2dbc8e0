"""Answers to bradley_terry_loss, written from the lesson and the stub alone."""

import math

import torch


def wrong_log_of_sigmoid(chosen, rejected):
    """Takes the logarithm of the sigmoid, which is 0 at -2e4."""
    return -torch.sigmoid(chosen - rejected).log().mean()


def wrong_log_of_sigmoid_with_epsilon(chosen, rejected):
    """Saves the logarithm with 1e-8; no pair costs more than 18.4."""
    return -torch.log(torch.sigmoid(chosen - rejected) + 1e-8).mean()


def wrong_log1p_of_exp(chosen, rejected):
    """Writes the formula out; exp(2e4) is infinite."""
    return torch.log1p(torch.exp(rejected - chosen)).mean()


def wrong_share_of_exponentials(chosen, rejected):
    """The strength of the one over the strength of both, which is infinite over infinite at 1e4."""
    strength = chosen.exp()
    return -(strength / (strength + rejected.exp())).log().mean()


def wrong_difference_cut(chosen, rejected):
    """Cuts the difference at 50 so that nothing overflows, and the gradient with it."""
    margin = (chosen - rejected).clamp(-50, 50)
    return -torch.nn.functional.logsigmoid(margin).mean()


def wrong_cross_entropy_of_probabilities(chosen, rejected):
    """Gives the sigmoid to binary_cross_entropy, which cuts the logarithm at -100."""
    probability = torch.sigmoid(chosen - rejected)
    return torch.nn.functional.binary_cross_entropy(probability, torch.ones_like(probability))


def wrong_other_way_round(chosen, rejected):
    """Subtracts the chosen from the rejected."""
    return -torch.nn.functional.logsigmoid(rejected - chosen).mean()


def wrong_no_minus(chosen, rejected):
    """Returns the log-likelihood."""
    return torch.nn.functional.logsigmoid(chosen - rejected).mean()


def wrong_no_logarithm(chosen, rejected):
    """Minus the mean probability."""
    return -torch.sigmoid(chosen - rejected).mean()


def wrong_log_of_the_mean(chosen, rejected):
    """Averages the probabilities first, and takes the logarithm then."""
    log_prob = torch.nn.functional.logsigmoid(chosen - rejected)
    return math.log(len(chosen)) - log_prob.logsumexp(0)


def wrong_sum(chosen, rejected):
    """Sums over the pairs."""
    return -torch.nn.functional.logsigmoid(chosen - rejected).sum()


def wrong_all_against_all(chosen, rejected):
    """Compares each chosen answer with each rejected one, whatever the prompt."""
    return -torch.nn.functional.logsigmoid(chosen[:, None] - rejected[None, :]).mean()


def wrong_each_for_itself(chosen, rejected):
    """Classifies single answers: the chosen as good, the rejected as bad."""
    good = torch.nn.functional.logsigmoid(chosen)
    bad = torch.nn.functional.logsigmoid(-rejected)
    return -(good + bad).mean()


def wrong_rejected_detached(chosen, rejected):
    """Holds the rejected score fixed, as a baseline."""
    return -torch.nn.functional.logsigmoid(chosen - rejected.detach()).mean()


def wrong_scaled_difference(chosen, rejected):
    """Multiplies the difference by 0.1, as in the loss of direct preference optimisation."""
    return -torch.nn.functional.logsigmoid(0.1 * (chosen - rejected)).mean()


def wrong_shifted_in_place(chosen, rejected):
    """Subtracts the larger score from both, to be safe at 1e4, and does so within the inputs."""
    larger = torch.maximum(chosen, rejected).detach()
    chosen.data -= larger
    rejected.data -= larger
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()


def right_softmax_of_two(chosen, rejected):
    """A choice between two: cross-entropy of the scores with class 0."""
    scores = torch.stack([chosen, rejected], dim=1)
    return torch.nn.functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))


def right_logaddexp(chosen, rejected):
    """log(exp(0) + exp(rejected - chosen)), with the stable sum."""
    surplus = rejected - chosen
    return torch.logaddexp(torch.zeros_like(surplus), surplus).sum() / surplus.numel()


def right_with_logits(chosen, rejected):
    """Binary cross-entropy of the difference, all labels 1."""
    margin = torch.sub(chosen, rejected)
    return torch.nn.functional.binary_cross_entropy_with_logits(margin, margin.new_ones(margin.shape))


def right_softplus_in_double(chosen, rejected):
    """Softplus of the turned difference, in double precision, cast back."""
    surplus = rejected.double() - chosen.double()
    return torch.nn.functional.softplus(surplus, threshold=40).mean().to(chosen.dtype)


def right_pair_by_pair(chosen, rejected):
    """A loop with a case for each sign, in which exp never grows."""
    costs = []
    for better, worse in zip(chosen, rejected, strict=True):
        d = better - worse
        costs.append(torch.log1p(torch.exp(-d)) if d > 0 else torch.log1p(torch.exp(d)) - d)
    return torch.stack(costs).mean()
