"""Answers to shared_trunk_step, written from the lesson and the stub alone."""

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_


def wrong_no_zero_grad(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Forgets that gradients add up: what was left from before takes part."""
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_zero_grad_after_backward(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Cleans up in the wrong place, and steps along nothing."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    loss.backward()
    optimizer.zero_grad()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_entropy_is_punished(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Adds all three terms as losses, the bonus among them."""
    loss = policy_loss + vf_coef * value_loss + ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_entropy_forgotten(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Takes the bonus to be part of the policy loss already."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_no_coefficient(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Adds the value loss as it is."""
    loss = policy_loss + value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_coefficient_halved(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Puts a half before the squared error a second time."""
    loss = policy_loss + 0.5 * vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_coefficient_on_the_policy(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Weighs the wrong one of the two losses."""
    loss = vf_coef * policy_loss + value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_convex_mixture(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Reads the coefficient as a share, and gives the rest to the policy."""
    loss = (1 - vf_coef) * policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_two_steps(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """One step for the policy and one for the critic, as with two networks."""
    norms = []
    losses = (policy_loss - ent_coef * entropy, vf_coef * value_loss)
    gradients = [
        torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True) for loss in losses
    ]
    for gradient in gradients:
        for parameter, part in zip(network.parameters(), gradient, strict=True):
            parameter.grad = None if part is None else part.clone()
        norms.append(clip_grad_norm_(network.parameters(), max_grad_norm))
        optimizer.step()
    return sum(norms)


def wrong_each_loss_clipped(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Clips the gradient of each loss by its own norm, and steps along the sum."""
    parameters = list(network.parameters())
    total = [torch.zeros_like(parameter) for parameter in parameters]
    longest = 0.0
    for loss in (policy_loss - ent_coef * entropy, vf_coef * value_loss):
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        longest = max(longest, float(clip_grad_norm_(parameters, max_grad_norm)))
        for sum_, parameter in zip(total, parameters, strict=True):
            if parameter.grad is not None:
                sum_ += parameter.grad
    for sum_, parameter in zip(total, parameters, strict=True):
        parameter.grad = sum_
    optimizer.step()
    return longest


def wrong_each_parameter_clipped(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """A norm for each tensor of weights instead of one for all."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norms = [clip_grad_norm_([parameter], max_grad_norm) for parameter in network.parameters()]
    optimizer.step()
    return torch.stack(norms).norm()


def wrong_clipped_by_value(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Takes the other function of torch: each number is clipped, not the norm."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = torch.stack([parameter.grad.norm() for parameter in network.parameters()]).norm()
    clip_grad_value_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def wrong_clipped_after_the_step(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """The right lines, the last two in the wrong order."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return clip_grad_norm_(network.parameters(), max_grad_norm)


def wrong_not_clipped(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Measures the norm and leaves the gradient as it is."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = torch.cat([parameter.grad.flatten() for parameter in network.parameters()]).norm()
    optimizer.step()
    return norm


def wrong_always_scaled(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Brings every gradient to the length max_grad_norm, the short ones too."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = torch.cat([parameter.grad.flatten() for parameter in network.parameters()]).norm()
    for parameter in network.parameters():
        parameter.grad.mul_(max_grad_norm / norm)
    optimizer.step()
    return norm


def wrong_norm_after_clipping(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Reports the norm with which the step was made."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return min(float(norm), max_grad_norm)


def wrong_returns_the_loss(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Does all of it, and returns what one usually prints."""
    loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return loss.item()


def wrong_value_loss_detached(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Wants to keep the critic out of the trunk, and keeps it out of its own head as well."""
    loss = policy_loss + vf_coef * value_loss.detach() - ent_coef * entropy
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_([p for p in network.parameters() if p.grad is not None], max_grad_norm)
    optimizer.step()
    return norm


def wrong_squared_norms_summed(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """One norm of all parameters, but the root is forgotten."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = sum(parameter.grad.square().sum() for parameter in network.parameters())
    scale = torch.clamp(max_grad_norm / norm, max=1.0)
    for parameter in network.parameters():
        parameter.grad *= scale
    optimizer.step()
    return norm


def right_as_torch_has_it(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """The five usual lines, the norm as a number."""
    optimizer.zero_grad()
    joint = policy_loss - ent_coef * entropy
    joint = joint + vf_coef * value_loss
    joint.backward()
    norm = nn.utils.clip_grad_norm_(list(network.parameters()), max_grad_norm)
    optimizer.step()
    return norm.item()


def right_three_backward_passes(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Lets torch add up the gradients of the three terms."""
    optimizer.zero_grad(set_to_none=False)
    policy_loss.backward(retain_graph=True)
    (vf_coef * value_loss).backward(retain_graph=True)
    (-ent_coef * entropy).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm


def right_gradients_by_hand(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    """Asks for the gradients, scales them, and puts them where the optimiser looks."""
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(policy_loss + vf_coef * value_loss - ent_coef * entropy, parameters)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    scale = max_grad_norm / norm if norm > max_grad_norm else 1.0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * scale
    optimizer.step()
    return float(norm)


def right_cleared_by_the_network(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Clears through the network, and takes the norm from torch's list of norms."""
    network.zero_grad()
    torch.stack([policy_loss, vf_coef * value_loss, -ent_coef * entropy]).sum().backward()
    norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in network.parameters()]))
    if norm > max_grad_norm:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.grad.mul_(max_grad_norm / norm)
    optimizer.step()
    return norm


def right_parameters_of_the_optimizer(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Finds the parameters where the optimiser keeps them."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for weight in weights:
        weight.grad = None
    torch.autograd.backward(
        [policy_loss, value_loss, entropy],
        [torch.tensor(c, dtype=policy_loss.dtype) for c in (1.0, vf_coef, -ent_coef)],
    )
    norm = clip_grad_norm_(weights, max_grad_norm)
    optimizer.step()
    return norm


def right_clears_afterwards_too(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    """Leaves no gradient behind for the next one."""
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = clip_grad_norm_(network.parameters(), max_grad_norm).detach().clone()
    optimizer.step()
    optimizer.zero_grad()
    return norm
