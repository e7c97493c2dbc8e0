"""Answers to baseline_update, written from the lesson and the stub alone."""

import copy

import torch
from torch import nn

from pgcourse.losses import reinforce_loss, value_loss
from pgcourse.returns import discounted_returns, normalize


def _batch(episodes, gamma):
    obs = torch.cat([e.obs for e in episodes])
    actions = torch.cat([e.actions for e in episodes])
    returns = torch.cat([discounted_returns(e.rewards, gamma=gamma) for e in episodes])
    return obs, actions, returns


def _step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_critic_fitted_first(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Fits the critic to the batch and then asks it."""
    obs, actions, returns = _batch(episodes, gamma)
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    with torch.no_grad():
        weight = normalize(returns - critic(obs))
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    return p_loss, v_loss


def wrong_stray_gradient_in_the_critic(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Leaves the values in the policy's loss and clears both optimisers only at the beginning of a step."""
    obs, actions, returns = _batch(episodes, gamma)
    policy_optimizer.zero_grad()
    critic_optimizer.zero_grad()
    advantage = normalize(returns - critic(obs))
    p_loss = -(policy(obs).log_prob(actions) * advantage).mean()
    p_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        v_loss = 0.5 * (critic(obs) - returns).square().mean()
        v_loss.backward()
        critic_optimizer.step()
        critic_optimizer.zero_grad()
    return p_loss.item(), v_loss.item()


def wrong_critic_learns_standardised_returns(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Fits the critic to standardised returns."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    target = normalize(returns)
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), target))
    return p_loss, v_loss


def wrong_standardised_before_the_subtraction(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Standardises the returns and subtracts the critic, which speaks in units of reward."""
    obs, actions, returns = _batch(episodes, gamma)
    with torch.no_grad():
        weight = normalize(returns) - critic(obs)
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_raw_advantages(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Thinks that the baseline makes standardising superfluous."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = returns - critic(obs).detach()
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_scaled_not_centred(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Divides by the standard deviation alone, because the critic has centred already."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = returns - critic(obs).detach()
    weight = weight / (weight.std(correction=0) + 1e-8)
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_standardised_in_each_episode(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Standardises the advantages of every episode by themselves."""
    obs, actions, returns = _batch(episodes, gamma)
    weights = []
    for episode in episodes:
        to_go = discounted_returns(episode.rewards, gamma=gamma)
        advantage = to_go - critic(episode.obs).detach()
        weights.append((advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8))
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), torch.cat(weights)))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_no_half(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Fits the critic with the whole mean squared error."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, nn.functional.mse_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_one_critic_step(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Takes one step of each network and overlooks critic_steps."""
    obs, actions, returns = _batch(episodes, gamma)
    values = critic(obs)
    weight = normalize(returns - values.detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    v_loss = _step(critic_optimizer, value_loss(values, returns))
    return p_loss, v_loss


def wrong_same_gradient_every_step(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Computes values and gradient once and steps along it critic_steps times."""
    obs, actions, returns = _batch(episodes, gamma)
    values = critic(obs)
    weight = normalize(returns - values.detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    v_loss = value_loss(values, returns)
    critic_optimizer.zero_grad()
    v_loss.backward()
    for _ in range(critic_steps):
        critic_optimizer.step()
    return p_loss, v_loss.item()


def wrong_first_value_loss(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Reports the value loss before the critic has taken a step."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    losses = [_step(critic_optimizer, value_loss(critic(obs), returns)) for _ in range(critic_steps)]
    return p_loss, losses[0]


def wrong_value_loss_after_the_last_step(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Evaluates the critic once more when it is done and reports that."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        _step(critic_optimizer, value_loss(critic(obs), returns))
    with torch.no_grad():
        final = value_loss(critic(obs), returns)
    return p_loss, final.item()


def wrong_mean_value_loss(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Reports the mean of the critic's losses."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    total = 0.0
    for _ in range(critic_steps):
        total += _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, total / critic_steps


def wrong_critic_cleared_once(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Clears the critic's gradients before its loop and not within."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    critic_optimizer.zero_grad()
    for _ in range(critic_steps):
        v_loss = value_loss(critic(obs), returns)
        v_loss.backward()
        critic_optimizer.step()
    return p_loss, v_loss.item()


def wrong_policy_not_cleared(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Clears the critic's gradients and forgets the policy's."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = reinforce_loss(policy(obs).log_prob(actions), weight)
    p_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss.item(), v_loss


def wrong_clipped(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Clips each gradient at a norm of 0.5, as the package's recipe does."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())

    def follow(loss, network, optimizer):
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
        return loss.item()

    p_loss = follow(reinforce_loss(policy(obs).log_prob(actions), weight), policy, policy_optimizer)
    for _ in range(critic_steps):
        v_loss = follow(value_loss(critic(obs), returns), critic, critic_optimizer)
    return p_loss, v_loss


def wrong_way_round(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Subtracts the return from the value."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(critic(obs).detach() - returns)
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_value_added(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Adds the value to the return."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns + critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_returns_over_the_joined_rewards(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Joins the rewards and discounts across the ends of the episodes."""
    obs, actions, _ = _batch(episodes, gamma)
    returns = discounted_returns(torch.cat([e.rewards for e in episodes]), gamma=gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_both_step_together(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Lets the policy step as often as the critic, in one loop."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    for _ in range(critic_steps):
        p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_one_step_advantage(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Uses reward plus gamma times the next value, minus the value, as actor-critic methods do."""
    obs, actions, returns = _batch(episodes, gamma)
    advantages = []
    with torch.no_grad():
        for episode in episodes:
            values = critic(episode.obs)
            following = torch.cat([values[1:], values.new_zeros(1)])
            advantages.append(episode.rewards + gamma * following - values)
    weight = normalize(torch.cat(advantages))
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss, v_loss


def wrong_critic_learns_the_advantages(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Gives the critic the advantages as its target."""
    obs, actions, returns = _batch(episodes, gamma)
    advantages = returns - critic(obs).detach()
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), normalize(advantages)))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), advantages))
    return p_loss, v_loss


def wrong_minibatches_for_the_critic(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """Cuts the batch into critic_steps pieces and gives each step one of them."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    pieces = min(critic_steps, len(obs))
    for some_obs, some_returns in zip(obs.tensor_split(pieces), returns.tensor_split(pieces), strict=True):
        v_loss = _step(critic_optimizer, value_loss(critic(some_obs), some_returns))
    return p_loss, v_loss


def wrong_losses_exchanged(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Returns the two losses in the other order."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return v_loss, p_loss


def wrong_one_step_too_many(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Steps the critic once together with the policy, and then critic_steps times more."""
    obs, actions, returns = _batch(episodes, gamma)
    values = critic(obs)
    p_loss = reinforce_loss(policy(obs).log_prob(actions), normalize(returns - values.detach()))
    policy_optimizer.zero_grad()
    critic_optimizer.zero_grad()
    (p_loss + value_loss(values, returns)).backward()
    policy_optimizer.step()
    critic_optimizer.step()
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    return p_loss.item(), v_loss


def right_critic_before_policy(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Asks the critic first, fits it, and only then moves the policy."""
    obs, actions, returns = _batch(episodes, gamma)
    with torch.no_grad():
        weight = normalize(returns - critic(obs))
    for _ in range(critic_steps):
        v_loss = _step(critic_optimizer, value_loss(critic(obs), returns))
    p_loss = _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight))
    return p_loss, v_loss


def right_old_critic_kept(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Keeps a copy of the critic from before and asks that one at the very end."""
    before = copy.deepcopy(critic)
    obs, actions, returns = _batch(episodes, gamma)
    losses = [_step(critic_optimizer, value_loss(critic(obs), returns)) for _ in range(critic_steps)]
    advantage = returns - before(obs).detach()
    std, mean = torch.std_mean(advantage, correction=min(1, len(advantage) - 1))
    weight = (advantage - mean) / (std + 1e-8)
    return _step(policy_optimizer, reinforce_loss(policy(obs).log_prob(actions), weight)), losses[-1]


def right_first_steps_from_one_backward(
    policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps
):
    """One backward over the sum of both losses for the first steps, tensors as results."""
    obs, actions, returns = _batch(episodes, gamma)
    values = critic(obs)
    p_loss = reinforce_loss(policy(obs).log_prob(actions), normalize(returns - values))
    v_loss = value_loss(values, returns)
    policy.zero_grad()
    critic.zero_grad()
    (p_loss + v_loss).backward()
    policy_optimizer.step()
    critic_optimizer.step()
    for _ in range(1, critic_steps):
        critic_optimizer.zero_grad()
        v_loss = value_loss(critic(obs), returns)
        v_loss.backward()
        critic_optimizer.step()
    return p_loss.detach(), v_loss.detach()


def right_episode_by_episode(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Never joins observations: sums of each episode, gradients accumulated before every step."""
    returns = [discounted_returns(e.rewards, gamma=gamma) for e in episodes]
    with torch.no_grad():
        advantages = [g - critic(e.obs) for g, e in zip(returns, episodes, strict=True)]
    count = sum(map(len, returns))
    mean = sum(a.sum() for a in advantages) / count
    std = (sum((a - mean).square().sum() for a in advantages) / count).sqrt() + 1e-8
    policy_optimizer.zero_grad(set_to_none=False)
    p_loss = 0.0
    for episode, advantage in zip(episodes, advantages, strict=True):
        part = -((advantage - mean) / std * policy(episode.obs).log_prob(episode.actions)).sum() / count
        part.backward()
        p_loss += part.item()
    policy_optimizer.step()
    for _ in range(critic_steps):
        critic_optimizer.zero_grad()
        v_loss = 0.0
        for episode, g in zip(episodes, returns, strict=True):
            part = (critic(episode.obs) - g).square().sum() / (2 * count)
            part.backward()
            v_loss += part.item()
        critic_optimizer.step()
    return p_loss, v_loss


def right_closures(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    """Every step is a closure that the optimiser calls."""
    obs, actions, returns = _batch(episodes, gamma)
    weight = normalize(returns - critic(obs).detach())

    def closure_of(optimizer, compute):
        def closure():
            optimizer.zero_grad()
            loss = compute()
            loss.backward()
            return loss

        return closure

    actor = closure_of(policy_optimizer, lambda: reinforce_loss(policy(obs).log_prob(actions), weight))
    fit = closure_of(critic_optimizer, lambda: value_loss(critic(obs), returns))
    p_loss = policy_optimizer.step(actor)
    return float(p_loss), [float(critic_optimizer.step(fit)) for _ in range(critic_steps)].pop()
