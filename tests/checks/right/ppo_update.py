"""Right answers to ppo_update in other styles."""

import math

import torch
from torch import nn


def divergence(policy, batch):
    with torch.no_grad():
        log_ratio = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
    return log_ratio, (log_ratio.expm1() - log_ratio).mean().item()


def right_in_one_backward(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
    # One backward pass over the sum of both losses; metrics measured on the whole batch after the last epoch.
    epochs = 0
    while epochs < settings["update_epochs"]:
        order = torch.randperm(len(batch.obs), generator=settings["generator"])
        for rows in order.split(settings["minibatch_size"]):
            obs, actions, old, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            ratio = torch.exp(distribution.log_prob(actions) - old)
            weight = (advantages - advantages.mean()) / (advantages.std(unbiased=False) + 1e-8)
            clipped = torch.clamp(ratio, 1 - settings["clip_coef"], 1 + settings["clip_coef"])
            policy_loss = torch.max(-weight * ratio, -weight * clipped).mean()
            value_loss = nn.functional.mse_loss(critic(obs), returns) / 2
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            (policy_loss - settings["ent_coef"] * distribution.entropy().mean() + value_loss).backward()
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(module.parameters(), settings["max_grad_norm"])
                optimizer.step()
        epochs += 1
        log_ratio, kl = divergence(policy, batch)
        if settings["target_kl"] is not None and kl > settings["target_kl"]:
            break
    fraction = ((log_ratio.exp() - 1).abs() > settings["clip_coef"]).float().mean()
    metrics = {"losses/approx_kl": torch.tensor(kl), "losses/clipfrac": fraction, "losses/value_loss": value_loss}
    return {**metrics, "epochs": float(epochs)}


def right_accumulating(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
    # Row by row: one backward pass each, gradients added up, then the step; gradients are cleared after it.
    kl, fractions, epochs, clip_coef = [], [], 0, settings["clip_coef"]
    policy.zero_grad()
    critic.zero_grad()
    while epochs < settings["update_epochs"]:
        keys = torch.rand(len(batch.obs), generator=settings["generator"], dtype=torch.float64).argsort()
        for rows in keys.split(settings["minibatch_size"]):
            own = batch.advantages[rows].tolist()
            mean = sum(own) / len(own)
            std = math.sqrt(sum((one - mean) ** 2 for one in own) / len(own))
            for row, advantage in zip(rows.tolist(), own, strict=True):
                obs, action, old, _, target = (column[row : row + 1] for column in batch)
                distribution = policy(obs)
                log_ratio = distribution.log_prob(action) - old
                weight, ratio = (advantage - mean) / (std + 1e-8), log_ratio.exp()
                bound = ratio.clamp(max=1 + clip_coef) if weight > 0 else ratio.clamp(min=1 - clip_coef)
                loss = -weight * bound - settings["ent_coef"] * distribution.entropy()
                (loss.sum() / len(own)).backward()
                (0.5 * (critic(obs) - target).square().sum() / len(own)).backward()
                kl.append(float(ratio - 1 - log_ratio))
                fractions.append(float(abs(ratio - 1) > clip_coef))
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(list(module.parameters()), settings["max_grad_norm"])
                optimizer.step()
                optimizer.zero_grad()
        epochs += 1
        if settings["target_kl"] is not None and divergence(policy, batch)[1] > settings["target_kl"]:
            break
    return {"losses/approx_kl": sum(kl) / len(kl), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}


def right_with_manual_clipping(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
    # The unbiased standard deviation; norms by hand; metrics as means of what is measured after each epoch.
    measured, clip_coef = [], settings["clip_coef"]
    for _ in range(settings["update_epochs"]):
        order = torch.randperm(len(batch.obs), generator=settings["generator"])
        for rows in order.split(settings["minibatch_size"]):
            obs, actions, old, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            ratio = (distribution.log_prob(actions) - old).exp()
            weight = (advantages - advantages.mean()) / advantages.std()
            clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
            gain = torch.minimum(ratio * weight, clipped * weight) + settings["ent_coef"] * distribution.entropy()
            value_loss = 0.5 * (critic(obs) - returns).pow(2).mean()
            for network, optimizer, loss in (
                (policy, policy_optimizer, -gain.mean()),
                (critic, critic_optimizer, value_loss),
            ):
                parameters = list(network.parameters())
                gradients = torch.autograd.grad(loss, parameters)
                norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.grad = gradient * min(1.0, settings["max_grad_norm"] / norm.item())
                optimizer.step()
        log_ratio, kl = divergence(policy, batch)
        measured.append((kl, (log_ratio.expm1().abs() > clip_coef).double().mean().item()))
        if settings["target_kl"] is not None and kl > settings["target_kl"]:
            break
    kl, fraction = (sum(column) / len(column) for column in zip(*measured, strict=True))
    return {"losses/approx_kl": kl, "losses/clipfrac": fraction, "epochs": len(measured)}
