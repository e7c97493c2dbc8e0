"""Right answers to bradley_terry_loss in other styles."""

import torch
from torch.nn import functional


def right_with_softplus(chosen, rejected):
    return functional.softplus(rejected - chosen).mean()


def right_with_library_loss(chosen, rejected):
    difference = chosen - rejected
    return functional.binary_cross_entropy_with_logits(difference, torch.ones_like(difference))


def right_as_a_choice_of_two(chosen, rejected):
    # Two classes, whose logits are the two scores; the first is the right one.
    logits = torch.stack([chosen, rejected], dim=1)
    return functional.cross_entropy(logits, torch.zeros(len(chosen), dtype=torch.long))


def right_with_logsumexp(chosen, rejected):
    return torch.mean(torch.logsumexp(torch.stack([chosen, rejected]), 0) - chosen)


def right_case_by_case(chosen, rejected):
    losses = []
    for preferred, other in zip(chosen, rejected, strict=True):
        gap = preferred - other
        losses.append(torch.log1p(torch.exp(-gap)) if gap > 0 else torch.log1p(torch.exp(gap)) - gap)
    return sum(losses) / len(losses)


def right_in_double_precision(chosen, rejected):
    total = torch.zeros((), dtype=torch.float64)
    for index in range(len(chosen)):
        total = total - functional.logsigmoid(chosen[index].double() - rejected[index].double())
    return (total / len(chosen)).to(chosen.dtype)
