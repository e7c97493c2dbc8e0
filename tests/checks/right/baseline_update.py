"""Right answers to baseline_update in other styles."""

import torch

from pgcourse.returns import discounted_returns


def joined(episodes, gamma):
    obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
    return obs, actions, torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])


def right_with_unbiased_deviation(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    obs, actions, returns = joined(episodes, gamma)
    advantages = returns - critic(obs).detach()
    weights = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    policy_loss = -(weights * policy(obs).log_prob(actions)).mean()
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        critic_optimizer.zero_grad()
        loss = (critic(obs) - returns).square().mean() / 2
        loss.backward()
        critic_optimizer.step()
    return policy_loss.detach(), loss.detach()


def right_critic_first_with_older_values(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    obs, actions, returns = joined(episodes, gamma)
    advantages = returns - critic(obs).clone()
    kept = ((advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)).detach().clone()
    for _ in range(critic_steps):
        loss = torch.nn.MSELoss()(critic(obs), returns) * 0.5
        critic_optimizer.zero_grad(set_to_none=False)
        loss.backward()
        critic_optimizer.step()
    policy_loss = torch.einsum("b,b->", policy(obs).log_prob(actions), kept).neg() / len(kept)
    policy_optimizer.zero_grad(set_to_none=False)
    policy_loss.backward()
    policy_optimizer.step()
    return policy_loss.item(), loss.item()


def right_with_gradients_by_hand(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    obs, actions, returns = joined(episodes, gamma)
    values = critic(obs)
    weights = torch.nn.functional.layer_norm((returns - values).detach(), returns.shape, eps=1e-12)
    policy_loss = torch.nn.functional.cross_entropy(policy(obs).logits, actions, reduction="none").mul(weights).mean()
    losses = [(policy_loss, policy, policy_optimizer)]
    for step in range(critic_steps + 1):
        loss, module, optimizer = losses[-1]
        parameters = list(module.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
        if step < critic_steps:
            losses.append((0.5 * (critic(obs) - returns).square().mean(), critic, critic_optimizer))
    return policy_loss.item(), losses[-1][0].item()
