"""Answers to reinforce_loss, written from the lesson and the stub alone."""

import torch


def wrong_no_minus(log_prob, weight):
    """Writes the objective, which is to be maximised, and not the loss."""
    return (weight.detach() * log_prob).mean()


def wrong_sum(log_prob, weight):
    """Adds up over the steps, as equation (2) does."""
    return -torch.sum(weight.detach() * log_prob)


def wrong_probabilities(log_prob, weight):
    """Turns the log-probabilities back into probabilities."""
    return -(weight.detach() * log_prob.exp()).mean()


def wrong_weight_not_detached(log_prob, weight):
    """Leaves the weight in the graph."""
    return -torch.mean(log_prob * weight)


def wrong_log_prob_detached(log_prob, weight):
    """Cuts the other of the two tensors from the graph."""
    return -(weight * log_prob.detach()).mean()


def wrong_every_pair(log_prob, weight):
    """Gives the weights a column, and pairs every weight with every step."""
    return -(weight.detach().unsqueeze(1) * log_prob).mean()


def wrong_one_loss_a_step(log_prob, weight):
    """Forgets to reduce."""
    return -(weight.detach() * log_prob)


def wrong_python_float(log_prob, weight):
    """Returns a number to print, from which nothing can be learnt."""
    losses = [-w * lp for w, lp in zip(weight.tolist(), log_prob.tolist(), strict=True)]
    return sum(losses) / len(losses)


def wrong_standardises_the_weights(log_prob, weight):
    """Does the standardising of exercise 2 once more, inside the loss."""
    weight = weight.detach()
    weight = (weight - weight.mean()) / (weight.std(correction=0) + 1e-8)
    return -(weight * log_prob).mean()


def wrong_divided_by_the_weights(log_prob, weight):
    """Thinks of a weighted mean and divides by the sum of the weights."""
    weight = weight.detach()
    return -(weight * log_prob).sum() / weight.sum()


def wrong_product_of_means(log_prob, weight):
    """Takes the mean of each and multiplies."""
    return -weight.detach().mean() * log_prob.mean()


def wrong_ratio_with_value_of_the_weights(log_prob, weight):
    """Uses the ratio of PPO at 1: the gradient is right, the value is minus the mean weight."""
    ratio = torch.exp(log_prob - log_prob.detach())
    return -(ratio * weight.detach()).mean()


def wrong_only_praise(log_prob, weight):
    """Thinks that weights below zero make no sense and cuts them off."""
    return -(weight.detach().clamp(min=0) * log_prob).mean()


def wrong_with_an_entropy_bonus(log_prob, weight):
    """Adds the small entropy bonus that other libraries have, estimated from the log-probabilities."""
    policy_loss = -(weight.detach() * log_prob).mean()
    return policy_loss + 0.01 * log_prob.mean()


def wrong_new_tensor(log_prob, weight):
    """Wraps the right number into a new tensor, which has no graph behind it."""
    total = 0.0
    for i in range(len(log_prob)):
        total -= float(weight[i]) * float(log_prob[i])
    return torch.tensor(total / len(log_prob), dtype=log_prob.dtype, requires_grad=True)


def wrong_length_one_vector(log_prob, weight):
    """Keeps the axis, so the result is [1] and not a scalar."""
    return -(weight.detach() * log_prob).mean(dim=0, keepdim=True)


def wrong_one_too_few(log_prob, weight):
    """Divides by B - 1, remembered from the standard deviation."""
    return -(weight.detach() * log_prob).sum() / max(len(log_prob) - 1, 1)


def right_inner_product(log_prob, weight):
    """Inner product divided by the number of steps."""
    return torch.inner(log_prob, weight.detach()) / -log_prob.numel()


def right_loop(log_prob, weight):
    """Step after step, with Python numbers for the weights."""
    loss = log_prob.new_zeros(())
    for lp, w in zip(log_prob.unbind(), weight.tolist(), strict=True):
        loss = loss - w * lp
    return loss / len(log_prob)


def right_matrix_product_in_double(log_prob, weight):
    """A row times a column in double precision, cast back, its two axes dropped by squeeze."""
    with torch.no_grad():
        row = weight.double().reshape(1, -1)
    product = row @ log_prob.double().reshape(-1, 1)
    return (product / -row.shape[1]).squeeze().to(log_prob.dtype)


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, log_prob, weight):
        ctx.save_for_backward(weight)
        return log_prob.mul(weight).mean().neg()

    @staticmethod
    def backward(ctx, upstream):
        (weight,) = ctx.saved_tensors
        return -upstream * weight / len(weight), None


def right_gradient_by_hand(log_prob, weight):
    """An autograd Function whose backward is minus weight over B, and nothing for the weight."""
    return _Loss.apply(log_prob, weight)


def right_value_and_gradient_apart(log_prob, weight):
    """Gradient from the difference to the detached log-probability, value from the constants."""
    w, fixed = weight.detach(), log_prob.detach()
    return -(w * (log_prob - fixed)).mean() - (w * fixed).mean()
