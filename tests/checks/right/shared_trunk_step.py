"""Right answers to shared_trunk_step in other styles."""

import torch


def right_with_backward_passes_that_add_up(network, optimizer, policy_loss, value_loss, entropy, **settings):
    network.zero_grad()
    (vf_coef, ent_coef, limit) = (settings[name] for name in ("vf_coef", "ent_coef", "max_grad_norm"))
    policy_loss.backward(retain_graph=True)
    value_loss.mul(vf_coef).backward(retain_graph=True)
    entropy.mul(-ent_coef).backward()
    norm = torch.nn.utils.clip_grad_norm_(list(network.parameters()), limit).item()
    optimizer.step()
    return norm


def right_with_gradients_by_hand(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(policy_loss - (ent_coef * entropy - vf_coef * value_loss), parameters)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient * min(1.0, max_grad_norm / (float(norm) + 1e-6))
    optimizer.step()
    return norm


def right_with_parameters_of_the_optimizer(
    network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm
):
    optimizer.zero_grad(set_to_none=False)
    sum([policy_loss, vf_coef * value_loss, -ent_coef * entropy]).backward()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters])
    torch.nn.utils.clip_grads_with_norm_(parameters, max_grad_norm, norm)
    optimizer.step()
    return norm.detach().clone()
