"""Answers to value_loss, written from the lesson and the stub alone."""

import torch
import torch.nn.functional as F


def _compare(values, returns):
    if values.shape != returns.shape:
        raise ValueError(f"values {list(values.shape)} against returns {list(returns.shape)}")


def wrong_no_half(values, returns):
    """The mean squared error of every library."""
    _compare(values, returns)
    return F.mse_loss(values, returns.detach())


def wrong_sum(values, returns):
    """Half the sum of the squares."""
    _compare(values, returns)
    return 0.5 * ((values - returns.detach()) ** 2).sum()


def wrong_values_detached(values, returns):
    """Detaches the values, which are all that can learn."""
    _compare(values, returns)
    return 0.5 * (values.detach() - returns).square().mean()


def wrong_target_attached(values, returns):
    """Thinks that returns are data anyway and need no detach."""
    _compare(values, returns)
    return (values - returns).pow(2).mean() / 2


def wrong_no_shapes_compared(values, returns):
    """Lets [B] against [B, 1] broadcast."""
    error = values - returns.detach()
    return 0.5 * torch.mean(error * error)


def wrong_only_values_looked_at(values, returns):
    """Refuses values of [B, 1] and overlooks returns of [B, 1]."""
    if values.dim() != 1:
        raise ValueError("values must be [B]: squeeze the last axis of the critic")
    return 0.5 * (values - returns.detach()).square().mean()


def wrong_flattens_both(values, returns):
    """Makes both flat, so that every shape is welcome."""
    return 0.5 * F.mse_loss(values.flatten(), returns.detach().flatten())


def wrong_numbers_of_elements_compared(values, returns):
    """Compares how many elements there are, which [B] and [B, 1] have in common."""
    if values.numel() != returns.numel():
        raise ValueError("values and returns need the same number of elements")
    return 0.5 * (values - returns.detach()).square().mean()


def wrong_shape_of_the_difference(values, returns):
    """Checks whether the difference looks like the values; for B = 1, [1, 1] minus [1] does."""
    error = values - returns.detach()
    if error.shape != values.shape:
        raise ValueError("broadcasting")
    return 0.5 * error.square().mean()


def wrong_assertion(values, returns):
    """Asserts equal shapes, which raises no ValueError."""
    assert values.shape == returns.shape
    return 0.5 * (returns.detach() - values).square().mean()


def wrong_huber(values, returns):
    """Uses the Huber loss, as deep Q-learning does, against outliers."""
    _compare(values, returns)
    return F.smooth_l1_loss(values, returns.detach())


def wrong_absolute_error(values, returns):
    """Halves the mean distance."""
    _compare(values, returns)
    return 0.5 * (values - returns.detach()).abs().mean()


def wrong_mean_before_square(values, returns):
    """Takes the mean of the errors, then squares it: errors of both signs cancel."""
    _compare(values, returns)
    return 0.5 * (values - returns.detach()).mean() ** 2


def wrong_half_inside_the_square(values, returns):
    """Halves the error and then squares it, which makes a quarter."""
    _compare(values, returns)
    return (0.5 * (values - returns.detach())).square().mean()


def wrong_root(values, returns):
    """Takes the root, to be back in units of reward."""
    _compare(values, returns)
    return 0.5 * (values - returns.detach()).square().mean().sqrt()


def wrong_in_units_of_variance(values, returns):
    """Divides by the variance of the returns, so that the loss is 1 - explained variance."""
    _compare(values, returns)
    target = returns.detach()
    return 0.5 * (values - target).square().mean() / (target.var(correction=0) + 1e-8)


def wrong_one_loss_a_step(values, returns):
    """Forgets the mean."""
    _compare(values, returns)
    return 0.5 * (values - returns.detach()) ** 2


def wrong_python_float(values, returns):
    """Returns a number for the log."""
    _compare(values, returns)
    return sum((v - g) ** 2 for v, g in zip(values.tolist(), returns.tolist(), strict=True)) / 2 / len(values)


def wrong_error_clipped(values, returns):
    """Limits the error to 10, so that early critics take no large steps."""
    _compare(values, returns)
    error = (values - returns.detach()).clamp(-10, 10)
    return 0.5 * error.square().mean()


def right_gaussian(values, returns):
    """Half a squared error is the negative log-likelihood of a normal with variance 1, without its constant."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    return F.gaussian_nll_loss(values, returns.detach(), var=torch.ones_like(values))


def right_huber_without_end(values, returns):
    """Huber's loss is half the square as long as errors stay below delta: take delta huge."""
    if values.size() != returns.size():
        raise ValueError("sizes differ")
    return F.huber_loss(values, returns.detach(), delta=1e15)


def right_dot(values, returns):
    """Inner product of the error with itself; shapes are compared by unpacking both to one axis."""
    (batch,) = values.shape
    (_,) = returns.shape
    error = values - returns.data
    return torch.dot(error, error) / (2 * batch)


class _HalfSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, returns):
        error = values.detach().double() - returns.detach().double()
        ctx.save_for_backward(error)
        return (error.square().mean() / 2).to(values.dtype)

    @staticmethod
    def backward(ctx, upstream):
        (error,) = ctx.saved_tensors
        return (upstream * error / error.numel()).to(upstream.dtype), None


def right_gradient_by_hand(values, returns):
    """The lesson's gradient, error over B, given to autograd by hand."""
    if list(values.shape) != list(returns.shape):
        raise ValueError("values and returns need equal shapes")
    return _HalfSquare.apply(values, returns)


def right_variance_plus_bias(values, returns):
    """The mean square of the error is its variance plus the square of its mean."""
    if values.dim() != returns.dim():
        raise ValueError("values and returns need the same number of axes")
    variance, mean = torch.var_mean(values - returns.clone().detach(), correction=0)
    return (variance + mean**2) / 2
