"""Right answers to ppo_update in other styles."""

import math

import torch
from torch import nn


def right_in_one_backward(
    policy, critic, policy_optimizer, critic_optimizer, batch, *,
    clip_coef, ent_coef, update_epochs, minibatch_size, target_kl, max_grad_norm, generator,
):  # fmt: skip
    # One backward pass over the sum of both losses; metrics measured on the whole batch after the last epoch.
    size, epoch = len(batch.obs), 0
    while epoch < update_epochs:
        epoch += 1
        order = torch.randperm(size, generator=generator)
        for start in range(0, size, minibatch_size):
            obs, actions, old, advantages, returns = (column[order[start : start + minibatch_size]] for column in batch)
            distribution = policy(obs)
            ratio = torch.exp(distribution.log_prob(actions) - old)
            weight = (advantages - advantages.mean()) / (advantages.std(unbiased=False) + 1e-8)
            clipped = torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
            policy_loss = torch.max(-weight * ratio, -weight * clipped).mean()
            value_loss = nn.functional.mse_loss(critic(obs), returns) / 2
            for optimizer in (policy_optimizer, critic_optimizer):
                optimizer.zero_grad()
            (policy_loss - ent_coef * distribution.entropy().mean() + value_loss).backward()
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(module.parameters(), max_grad_norm)
                optimizer.step()
        log_ratio = (policy(batch.obs).log_prob(batch.actions) - batch.log_prob).detach()
        kl = (log_ratio.exp() - 1 - log_ratio).mean()
        if target_kl is not None and kl.item() > target_kl:
            break
    fraction = ((log_ratio.exp() - 1).abs() > clip_coef).float().mean()
    metrics = {"losses/approx_kl": kl, "losses/clipfrac": fraction, "losses/value_loss": value_loss}
    return {**metrics, "epochs": float(epoch)}


def right_accumulating(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
    # Row by row: one backward pass each, gradients added up, then the step; gradients are cleared after it.
    kl, fractions, epochs = [], [], 0
    clip_coef, part = settings["clip_coef"], settings["minibatch_size"]
    policy.zero_grad()
    critic.zero_grad()
    for _ in range(settings["update_epochs"]):
        keys = torch.rand(len(batch.obs), generator=settings["generator"], dtype=torch.float64).argsort()
        for rows in keys.split(part):
            own = batch.advantages[rows].tolist()
            mean = sum(own) / len(own)
            std = math.sqrt(sum((one - mean) ** 2 for one in own) / len(own))
            for row, advantage in zip(rows.tolist(), own, strict=True):
                distribution = policy(batch.obs[row : row + 1])
                log_ratio = distribution.log_prob(batch.actions[row : row + 1]) - batch.log_prob[row : row + 1]
                weight, ratio = (advantage - mean) / (std + 1e-8), log_ratio.exp()
                bound = ratio.clamp(max=1 + clip_coef) if weight > 0 else ratio.clamp(min=1 - clip_coef)
                loss = -weight * bound - settings["ent_coef"] * distribution.entropy()
                (loss.sum() / len(own)).backward()
                error = critic(batch.obs[row : row + 1]) - batch.returns[row : row + 1]
                (0.5 * error.square().sum() / len(own)).backward()
                kl.append(float(ratio - 1 - log_ratio))
                fractions.append(float(abs(ratio - 1) > clip_coef))
            for module, optimizer in ((policy, policy_optimizer), (critic, critic_optimizer)):
                nn.utils.clip_grad_norm_(list(module.parameters()), settings["max_grad_norm"])
                optimizer.step()
                optimizer.zero_grad()
        epochs += 1
        with torch.no_grad():
            log_ratio = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
            if settings["target_kl"] is not None and (log_ratio.expm1() - log_ratio).mean() > settings["target_kl"]:
                break
    return {"losses/approx_kl": sum(kl) / len(kl), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}


def right_with_manual_clipping(policy, critic, policy_optimizer, critic_optimizer, batch, **settings):
    # The unbiased standard deviation; norms by hand; metrics as means of what is measured after each epoch.
    measured = []
    for _ in range(settings["update_epochs"]):
        order = torch.randperm(len(batch.obs), generator=settings["generator"])
        for rows in order.split(settings["minibatch_size"]):
            distribution = policy(batch.obs[rows])
            ratio = (distribution.log_prob(batch.actions[rows]) - batch.log_prob[rows]).exp()
            weight = (batch.advantages[rows] - batch.advantages[rows].mean()) / batch.advantages[rows].std()
            clipped = ratio.clamp(1 - settings["clip_coef"], 1 + settings["clip_coef"])
            gain = torch.minimum(ratio * weight, clipped * weight) + settings["ent_coef"] * distribution.entropy()
            error = critic(batch.obs[rows]) - batch.returns[rows]
            losses = (-gain.mean(), 0.5 * error.pow(2).mean())
            for network, optimizer, loss in zip(
                (policy, critic), (policy_optimizer, critic_optimizer), losses, strict=True
            ):
                parameters = list(network.parameters())
                gradients = torch.autograd.grad(loss, parameters)
                norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.grad = gradient * min(1.0, settings["max_grad_norm"] / norm.item())
                optimizer.step()
        with torch.no_grad():
            log_ratio = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
        kl = (log_ratio.expm1() - log_ratio).mean().item()
        measured.append((kl, (log_ratio.expm1().abs() > settings["clip_coef"]).double().mean().item()))
        if settings["target_kl"] is not None and kl > settings["target_kl"]:
            break
    kls, fractions = zip(*measured, strict=True)
    mean = {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fractions) / len(fractions)}
    return {**mean, "epochs": len(measured)}
