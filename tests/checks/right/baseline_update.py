"""Right answers to baseline_update in other styles."""

import torch

from pgcourse.returns import discounted_returns


def joined(episodes, gamma):
    obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
    return obs, actions, torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])


def descend(optimizer, loss, **settings):
    optimizer.zero_grad(**settings)
    loss.backward()
    optimizer.step()
    return loss.detach()


def right_with_unbiased_deviation(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    obs, actions, returns = joined(episodes, gamma)
    advantages = returns - critic(obs).detach()
    weights = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    policy_loss = descend(policy_optimizer, -(weights * policy(obs).log_prob(actions)).mean())
    for _ in range(critic_steps):
        loss = descend(critic_optimizer, (critic(obs) - returns).square().mean() / 2)
    return policy_loss, loss


def right_critic_first_with_older_values(policy, critic, policy_optimizer, critic_optimizer, episodes, **settings):
    obs, actions, returns = joined(episodes, settings["gamma"])
    advantages = returns - critic(obs).clone()
    kept = ((advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)).detach().clone()
    for _ in range(settings["critic_steps"]):
        loss = descend(critic_optimizer, torch.nn.MSELoss()(critic(obs), returns) * 0.5, set_to_none=False)
    policy_loss = torch.einsum("b,b->", policy(obs).log_prob(actions), kept).neg() / len(kept)
    return descend(policy_optimizer, policy_loss, set_to_none=False).item(), loss.item()


def right_with_gradients_by_hand(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    obs, actions, returns = joined(episodes, gamma)
    weights = torch.nn.functional.layer_norm((returns - critic(obs)).detach(), returns.shape, eps=1e-12)
    policy_loss = torch.nn.functional.cross_entropy(policy(obs).logits, actions, reduction="none").mul(weights).mean()
    loss, module, optimizer = policy_loss, policy, policy_optimizer
    for step in range(critic_steps + 1):
        if step:
            loss, module, optimizer = 0.5 * (critic(obs) - returns).square().mean(), critic, critic_optimizer
        parameters = list(module.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
    return policy_loss.item(), loss.item()
