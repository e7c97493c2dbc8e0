"""Right answers to reinforce_update in other styles."""

import torch

from pgcourse.returns import discounted_returns


def right_unbiased(policy, optimizer, episodes, *, gamma):
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])
    weights = (returns - returns.mean()) / (returns.std() + 1e-8)
    log_prob = torch.cat([policy(episode.obs).log_prob(episode.actions) for episode in episodes])
    loss = -(weights * log_prob).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def right_step_by_step(policy, optimizer, episodes, *, gamma):
    tails = [episode.rewards[t:].tolist() for episode in episodes for t in range(len(episode.rewards))]
    returns = [sum(gamma**k * reward for k, reward in enumerate(tail)) for tail in tails]
    mean = sum(returns) / len(returns)
    std = (sum((one - mean) ** 2 for one in returns) / len(returns)) ** 0.5
    steps = [step for episode in episodes for step in zip(episode.obs, episode.actions, strict=True)]
    terms = [
        -policy(obs).log_prob(action) * (one - mean) / (std + 1e-8)
        for (obs, action), one in zip(steps, returns, strict=True)
    ]
    loss = torch.stack(terms).sum() / len(terms)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def right_accumulating(policy, optimizer, episodes, *, gamma):
    """One backward pass an episode, gradients added up, then the one step."""
    returns = [discounted_returns(episode.rewards, gamma=gamma) for episode in episodes]
    std, mean = torch.std_mean(torch.cat(returns), correction=0)
    policy.zero_grad()
    total = 0.0
    for episode, own in zip(episodes, returns, strict=True):
        weights = (own - mean) / (std + 1e-8)
        loss = -(policy(episode.obs).log_prob(episode.actions) * weights).sum() / sum(map(len, returns))
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def right_with_cross_entropy(policy, optimizer, episodes, *, gamma):
    """The loss of a classifier, each row with its own weight; it takes the logits' softmax once more."""
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])
    weights = (returns - returns.mean()) / (returns.std(correction=0) + 1e-8)
    logits = policy(torch.cat([episode.obs for episode in episodes])).logits
    actions = torch.cat([episode.actions for episode in episodes])
    loss = (weights * torch.nn.functional.cross_entropy(logits, actions, reduction="none")).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
