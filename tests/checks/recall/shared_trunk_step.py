"""Answers to shared_trunk_step, written from the lesson and the stub alone."""

import itertools
import math

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_


def wrong_no_zero_grad(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Thinks that backward replaces the gradients, where it adds to those that are left."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_zero_grad_after_step(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Cleans up behind itself only, and trusts that everyone before did the same."""
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    optimizer.zero_grad()
    return norm.item()


def wrong_zero_grad_between(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """A zero_grad before every backward as a habit: the second one throws the policy's gradient away."""
    optimizer.zero_grad()
    (policy_loss - ent_coef * entropy).backward(retain_graph=True)
    optimizer.zero_grad()
    (vf_coef * value_loss).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_entropy_added(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """A bonus is added, so the entropy gets a plus, and the step makes it smaller."""
    total = policy_loss + vf_coef * value_loss + ent_coef * entropy
    network.zero_grad()
    total.backward()
    norm = clip_grad_norm_(list(network.parameters()), max_norm=max_grad_norm)
    optimizer.step()
    return float(norm)


def wrong_entropy_as_a_number(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Takes the entropy as a number for the log, so the bonus has no gradient."""
    bonus = ent_coef * entropy.item()
    joint = policy_loss + vf_coef * value_loss - bonus
    optimizer.zero_grad(set_to_none=True)
    joint.backward()
    before = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return before


def wrong_entropy_inside_vf_coef(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """A bracket too many: vf_coef weighs the entropy too."""
    optimizer.zero_grad()
    extras = value_loss - ent_coef * entropy
    (policy_loss + vf_coef * extras).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_vf_coef_forgotten(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """The value head has weights of its own, so the value loss seems to need no coefficient."""
    optimizer.zero_grad()
    torch.autograd.backward([policy_loss - ent_coef * entropy, value_loss])
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_halves_the_value_again(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Puts in the one half of the squared error, which the value loss of 4.5 for an error of 3 has already."""
    loss = policy_loss + 0.5 * vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm.detach()


def wrong_each_layer_by_its_own_norm(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Clips every tensor by itself and puts the joint norm together afterwards, which is right again."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    squares = 0.0
    for p in network.parameters():
        squares += clip_grad_norm_([p], max_grad_norm).item() ** 2
    optimizer.step()
    return squares**0.5


def wrong_first_group_only(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Takes the parameters from the optimiser's first group: another learning rate for a head makes a second group."""
    params = optimizer.param_groups[0]["params"]
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = clip_grad_norm_(params, max_grad_norm)
    optimizer.step()
    return norm


def wrong_clips_before_backward(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Clips the zeros, and then fills in the gradient."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad(set_to_none=False)
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    loss.backward()
    optimizer.step()
    return norm


def wrong_norm_after_clipping(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Ignores what clip_grad_norm_ returns, and measures the clipped gradient."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return torch.cat([p.grad.flatten() for p in network.parameters()]).norm()


def wrong_clips_after_step(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Steps first and clips then: the norm is right, the step is as if nothing had been clipped."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    optimizer.step()
    return clip_grad_norm_(network.parameters(), max_grad_norm)


def wrong_clips_by_value(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Cuts every entry to the bound, which turns the direction, and leaves a long vector long."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in network.parameters()))
    clip_grad_value_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_steps_twice(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """One step for the actor and one for the critic, with one and the same gradient."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    for _ in ("actor", "critic"):
        optimizer.step()
    return norm


def wrong_always_rescaled(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Normalises to max_grad_norm, so a short gradient is made longer."""
    params = list(network.parameters())
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    grads = torch.autograd.grad(loss, params)
    norm = torch.stack([g.norm() for g in grads]).norm()
    for p, g in zip(params, grads, strict=True):
        p.grad = g * (max_grad_norm / (norm + 1e-6))
    optimizer.step()
    return norm


def wrong_value_kept_off_the_trunk(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Thinks the trunk belongs to the policy: what both reach gets the policy's gradient alone, as if by a detach."""
    params = list(network.parameters())
    of_policy = torch.autograd.grad(policy_loss - ent_coef * entropy, params, retain_graph=True, allow_unused=True)
    of_value = torch.autograd.grad(vf_coef * value_loss, params, allow_unused=True)
    for p, a, b in zip(params, of_policy, of_value, strict=True):
        p.grad = (a if a is not None else b).clone()
    norm = clip_grad_norm_(params, max_grad_norm)
    optimizer.step()
    return norm


def wrong_each_loss_by_its_own_norm(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Clips the policy's gradient and the value's each by itself and adds them: two norms, and a sum that may be too long."""
    params = list(network.parameters())
    parts, whole = [], [torch.zeros_like(p) for p in params]
    for loss in (policy_loss - ent_coef * entropy, vf_coef * value_loss):
        optimizer.zero_grad(set_to_none=False)
        loss.backward(retain_graph=True)
        for total, p in zip(whole, params, strict=True):
            if p.grad is not None:
                total += p.grad
        clip_grad_norm_(params, max_grad_norm)
        parts.append([torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in params])
    for p, a, b in zip(params, *parts, strict=True):
        p.grad = a + b
    optimizer.step()
    return math.sqrt(sum(float(total.pow(2).sum()) for total in whole))


def right_two_backwards(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Two backward passes that add up: the gradient of a sum is the sum of the gradients."""
    optimizer.zero_grad()
    (policy_loss - ent_coef * entropy).backward(retain_graph=True)
    (vf_coef * value_loss).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def right_grads_assigned(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Asks autograd.grad and puts the answer over whatever was in .grad, so there is nothing to zero."""
    params = [p for p in network.parameters() if p.requires_grad]
    joint = policy_loss + vf_coef * value_loss - ent_coef * entropy
    grads = torch.autograd.grad(joint, params, allow_unused=True)
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads if g is not None]))
    scale = max_grad_norm / norm if norm > max_grad_norm else None
    for p, g in zip(params, grads, strict=True):
        p.grad = g if g is None or scale is None else g * scale
    optimizer.step()
    return norm


def right_norm_by_hand(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Sums the squares in Python floats and scales in place, where the norm is too long."""
    for p in network.parameters():
        p.grad = None
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    norm = math.sqrt(math.fsum(g.double().square().sum().item() for g in grads))
    if norm > max_grad_norm:
        for g in grads:
            g.mul_(max_grad_norm / norm)
    optimizer.step()
    return norm


def right_zeroed_in_place(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Fills the old gradients with zeros instead of dropping them, and finds the parameters in the optimiser's groups."""
    optimizer.zero_grad(set_to_none=False)
    losses = torch.stack([policy_loss, value_loss, entropy])
    weights = losses.new_tensor([1.0, vf_coef, -ent_coef])
    torch.dot(weights, losses).backward()
    everything = list(itertools.chain.from_iterable(group["params"] for group in optimizer.param_groups))
    norm = clip_grad_norm_(everything, max_grad_norm)
    optimizer.step()
    return norm.item()


def right_loss_scaled(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Measures the norm in a first pass, and sends a smaller number than 1 back through the graph in a second."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    trained = [p for p in network.parameters() if p.requires_grad]
    probe = torch.autograd.grad(loss, trained, retain_graph=True, allow_unused=True)
    norm = torch.cat([g.reshape(-1) for g in probe if g is not None]).norm()
    factor = min(1.0, max_grad_norm / norm.item()) if norm > 0 else 1.0
    optimizer.zero_grad()
    loss.backward(gradient=torch.full_like(loss, factor))
    optimizer.step()
    return norm


def right_one_flat_vector(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Lays all gradients into one vector, shortens that, and copies the pieces back."""
    network.zero_grad()
    weighted = [(policy_loss, 1.0), (value_loss, vf_coef), (entropy, -ent_coef)]
    weighted = [(x, torch.full_like(x, c)) for x, c in weighted if x.requires_grad]
    torch.autograd.backward([x for x, _ in weighted], [c for _, c in weighted])
    grads = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([g.ravel() for g in grads])
    norm = flat.norm()
    if norm > max_grad_norm:
        pieces = (flat / norm * max_grad_norm).split([g.numel() for g in grads])
        for g, piece in zip(grads, pieces, strict=True):
            g.copy_(piece.view_as(g))
    optimizer.step()
    return norm
