"""Right answers to reinforce_loss in other styles."""

import torch


def right_with_dot(log_prob, weight):
    return -torch.dot(weight.detach(), log_prob) / log_prob.numel()


def right_with_no_grad(log_prob, weight):
    with torch.no_grad():
        constant = weight.clone()
    return torch.mean(-log_prob * constant)


def right_in_double_precision(log_prob, weight):
    return torch.einsum("b,b->", -log_prob.double(), weight.double().detach()).div(len(weight)).to(log_prob.dtype)
