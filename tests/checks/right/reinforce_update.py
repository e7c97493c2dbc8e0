"""Right answers to reinforce_update in other styles."""

import torch


def to_go(rewards, gamma):
    tail = rewards.tolist()
    return [sum(gamma**k * reward for k, reward in enumerate(tail[t:])) for t in range(len(tail))]


def right_unbiased(policy, optimizer, episodes, *, gamma):
    returns = torch.cat([torch.tensor(to_go(e.rewards, gamma), dtype=e.rewards.dtype) for e in episodes])
    weights = (returns - returns.mean()) / (returns.std() + 1e-8)
    log_prob = torch.cat([policy(episode.obs).log_prob(episode.actions) for episode in episodes])
    loss = -(weights * log_prob).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def right_step_by_step(policy, optimizer, episodes, *, gamma):
    returns = [one for episode in episodes for one in to_go(episode.rewards, gamma)]
    mean = sum(returns) / len(returns)
    std = (sum((one - mean) ** 2 for one in returns) / len(returns)) ** 0.5
    terms = []
    for episode in episodes:
        for obs, action in zip(episode.obs, episode.actions, strict=True):
            terms.append(-policy(obs).log_prob(action) * (returns[len(terms)] - mean) / (std + 1e-8))
    loss = torch.stack(terms).sum() / len(terms)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def right_accumulating(policy, optimizer, episodes, *, gamma):
    """One backward pass an episode, gradients added up, then the one step."""
    returns = [torch.tensor(to_go(episode.rewards, gamma), dtype=torch.float64) for episode in episodes]
    together = torch.cat(returns)
    policy.zero_grad()
    total = 0.0
    for episode, own in zip(episodes, returns, strict=True):
        weights = ((own - together.mean()) / (together.std(correction=0) + 1e-8)).to(episode.obs.dtype)
        loss = -(policy(episode.obs).log_prob(episode.actions) * weights).sum() / len(together)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total
