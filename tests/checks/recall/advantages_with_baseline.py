"""Answers to advantages_with_baseline, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_way_round(returns, values):
    """Value minus return."""
    if returns.shape != values.shape:
        raise ValueError("shapes differ")
    return (values.detach() - returns).to(returns.dtype)


def wrong_still_attached(returns, values):
    """Leaves the values in the graph."""
    if values.shape != returns.shape:
        raise ValueError(f"values are {tuple(values.shape)}, returns {tuple(returns.shape)}")
    return (returns - values).to(returns.dtype)


def wrong_standardised(returns, values):
    """Standardises at once, as the update does later."""
    if values.shape != returns.shape:
        raise ValueError("values must be [B]")
    advantage = (returns - values.detach()).to(returns.dtype)
    return (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8)


def wrong_centred(returns, values):
    """Takes the mean away, so that half of the steps are worse than expected."""
    if values.shape != returns.shape:
        raise ValueError("values must be [B]")
    with torch.no_grad():
        surprise = (returns - values).to(returns.dtype)
        return surprise - surprise.mean()


def wrong_squeezes_in_silence(returns, values):
    """Repairs [B, 1] by a squeeze where the docstring wants an error."""
    values = values.detach().squeeze(-1) if values.dim() == 2 else values.detach()
    return (returns - values).to(returns.dtype)


def wrong_broadcasts(returns, values):
    """Compares no shapes: [B] minus [B, 1] is [B, B]."""
    return (returns - values.detach()).to(returns.dtype)


def wrong_assertion(returns, values):
    """Compares the shapes with assert, which raises another error."""
    assert returns.shape == values.shape, "returns and values must both be [B]"
    return returns - values.detach().to(returns.dtype)


def wrong_compares_lengths(returns, values):
    """Compares len, which is B for [B, 1] too."""
    if len(returns) != len(values):
        raise ValueError(f"{len(returns)} returns, {len(values)} values")
    return returns - values.detach().to(returns.dtype)


def wrong_refuses_a_single_step(returns, values):
    """Looks only whether the last axis of the values has size 1, which a batch of one has as well."""
    if values.shape[-1] == 1:
        raise ValueError("values are [B, 1]: squeeze the last axis")
    return returns - values.detach().to(returns.dtype)


def wrong_in_place(returns, values):
    """Subtracts from the caller's returns."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    returns -= values.detach().to(returns.dtype)
    return returns


def wrong_always_single_precision(returns, values):
    """Casts to float because networks speak float32."""
    if values.size() != returns.size():
        raise ValueError("unequal sizes")
    return returns.float() - values.detach().float()


def wrong_only_better_than_expected(returns, values):
    """Keeps what was better than expected and calls the rest 0."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    return torch.relu(returns - values.detach().to(returns.dtype))


def wrong_switches_the_critic_off(returns, values):
    """Switches requires_grad off on the critic's own tensor instead of detaching it."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    values.requires_grad_(False)
    return (returns - values).to(returns.dtype)


def wrong_value_of_the_next_step(returns, values):
    """Compares the return with what the critic says of the next state."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    following = torch.cat([values[1:], torch.zeros_like(values[:1])]).detach()
    return (returns - following).to(returns.dtype)


def wrong_in_per_cent(returns, values):
    """How much better, as a share of what was expected."""
    if values.shape != returns.shape:
        raise ValueError("unequal shapes")
    expected = values.detach().to(returns.dtype)
    return (returns - expected) / (expected.abs() + 1e-8)


def right_unpacked_shape(returns, values):
    """Unpacks the shape into one number, which raises ValueError for two axes."""
    (batch,) = values.shape
    out = torch.empty(batch, dtype=returns.dtype)
    out[:] = returns.detach() - values.detach()
    return out


def right_numpy(returns, values):
    """Through numpy, where no gradient follows."""
    if np.ndim(values.detach().numpy()) != 1:
        raise ValueError("values must have one axis")
    difference = returns.detach().numpy().astype(np.float64) - values.detach().numpy()
    return torch.tensor(difference, dtype=returns.dtype)


def right_comprehension(returns, values):
    """Number by number in plain Python."""
    if values.dim() > 1:
        raise ValueError(f"expected [B], got {list(values.shape)}")
    return returns.new_tensor([g - v for g, v in zip(returns.tolist(), values.tolist(), strict=True)])


@torch.no_grad()
def right_decorated(returns, values):
    """The whole function under no_grad; the sum with alpha = -1 in double precision."""
    if returns.shape != values.shape:
        raise ValueError("returns and values must have the same shape")
    return torch.add(returns.double(), values.double(), alpha=-1).to(returns.dtype)


class _ShapesDiffer(ValueError):
    pass


def right_own_error_and_bmm(returns, values):
    """An error class of its own, derived from ValueError, and a product with (1, -1)."""
    if tuple(values.shape) != tuple(returns.shape):
        raise _ShapesDiffer("squeeze the last axis of the values")
    pairs = torch.stack([returns, values.detach().to(returns.dtype)], dim=1)
    return (pairs @ pairs.new_tensor([[1.0], [-1.0]]))[:, 0]
