"""Answers to reinforce_update, written from the lesson and the stub alone."""

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence


def _to_go(rewards, gamma):
    out, following = [], 0.0
    for reward in reversed(rewards.unbind()):
        following = reward + gamma * following
        out.append(following)
    return torch.stack(out[::-1])


def _standardize(x):
    return (x - x.mean()) / (x.std(correction=0) + 1e-8)


def _join(episodes):
    return torch.cat([e.obs for e in episodes]), torch.cat([e.actions for e in episodes])


def wrong_returns_over_the_joined_rewards(policy, optimizer, episodes, *, gamma):
    """Joins the rewards first, so an episode inherits from the next one."""
    obs, actions = _join(episodes)
    weight = _standardize(_to_go(torch.cat([e.rewards for e in episodes]), gamma))
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_standardised_in_each_episode(policy, optimizer, episodes, *, gamma):
    """Standardises every episode by itself."""
    weight = torch.cat([_standardize(_to_go(episode.rewards, gamma)) for episode in episodes])
    obs, actions = _join(episodes)
    loss = -torch.mean(policy(obs).log_prob(actions) * weight)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss)


def wrong_raw_returns(policy, optimizer, episodes, *, gamma):
    """The version that everybody writes first: nothing standardised."""
    log_probs = [policy(e.obs).log_prob(e.actions) for e in episodes]
    weights = [_to_go(e.rewards, gamma) for e in episodes]
    loss = -(torch.cat(log_probs) * torch.cat(weights)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_only_centred(policy, optimizer, episodes, *, gamma):
    """Subtracts the mean and does not divide by the standard deviation."""
    obs, actions = _join(episodes)
    weight = torch.cat([_to_go(e.rewards, gamma) for e in episodes])
    weight = weight - weight.mean()
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_zero_grad_forgotten(policy, optimizer, episodes, *, gamma):
    """Never clears the gradients."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    loss = (-weight * policy(obs).log_prob(actions)).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_cleared_between_backward_and_step(policy, optimizer, episodes, *, gamma):
    """Clears the gradients after they were computed and before they are used."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    loss = -(policy(obs).log_prob(actions) * weight).mean()
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


def wrong_cleared_for_the_next_time(policy, optimizer, episodes, *, gamma):
    """Tidies up after the step, and follows whatever the caller had left before the first."""
    observations, taken = _join(episodes)
    returns = torch.cat([_to_go(e.rewards, gamma) for e in episodes])
    loss = -(_standardize(returns) * policy(observations).log_prob(taken)).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach().item()


def wrong_mean_of_the_episodes_means(policy, optimizer, episodes, *, gamma):
    """Averages within each episode first, so that a step of a short episode counts more."""
    weights = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    losses = []
    for episode, weight in zip(episodes, weights.split([len(e.rewards) for e in episodes]), strict=True):
        losses.append(-(weight * policy(episode.obs).log_prob(episode.actions)).mean())
    loss = torch.stack(losses).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_sum_over_steps_mean_over_episodes(policy, optimizer, episodes, *, gamma):
    """Takes equation (2) at its word: sum over steps, mean over episodes."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    loss = -(weight * policy(obs).log_prob(actions)).sum() / len(episodes)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_no_minus(policy, optimizer, episodes, *, gamma):
    """Minimises what should be maximised."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    loss = torch.dot(weight, policy(obs).log_prob(actions)) / len(weight)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_a_step_for_every_episode(policy, optimizer, episodes, *, gamma):
    """Steps after each episode, so the later ones meet another policy."""
    returns = [_to_go(e.rewards, gamma) for e in episodes]
    everything = torch.cat(returns)
    mean, std = everything.mean(), everything.std(correction=0)
    total = 0.0
    for episode, g in zip(episodes, returns, strict=True):
        loss = -((g - mean) / (std + 1e-8) * policy(episode.obs).log_prob(episode.actions)).sum() / len(everything)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


def wrong_gamma_unused(policy, optimizer, episodes, *, gamma):
    """Sums the rewards to come and never looks at gamma."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([e.rewards.flip(0).cumsum(0).flip(0) for e in episodes]))
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_loss_after_the_step(policy, optimizer, episodes, *, gamma):
    """Reports the loss of the policy that comes out, not of the one that was differentiated."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))

    def compute():
        return -(weight * policy(obs).log_prob(actions)).mean()

    optimizer.zero_grad()
    compute().backward()
    optimizer.step()
    return compute().item()


def wrong_returns_the_tensor(policy, optimizer, episodes, *, gamma):
    """Returns the loss with its graph, not a Python float."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def wrong_fresh_actions(policy, optimizer, episodes, *, gamma):
    """Samples actions anew and praises these for what the old ones earned."""
    obs, _ = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    distribution = policy(obs)
    loss = -(weight * distribution.log_prob(distribution.sample())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_whole_return(policy, optimizer, episodes, *, gamma):
    """Gives all steps of an episode the return from its start."""
    weight = torch.cat([_to_go(e.rewards, gamma)[0].repeat(len(e.rewards)) for e in episodes])
    obs, actions = _join(episodes)
    loss = -(_standardize(weight) * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_gamma_to_the_t_kept(policy, optimizer, episodes, *, gamma):
    """Keeps the factor gamma to the t of the lesson's small print."""
    weights = []
    for episode in episodes:
        powers = torch.tensor([gamma**t for t in range(len(episode.rewards))], dtype=episode.rewards.dtype)
        weights.append(powers * _to_go(episode.rewards, gamma))
    obs, actions = _join(episodes)
    loss = -(_standardize(torch.cat(weights)) * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_entropy_bonus(policy, optimizer, episodes, *, gamma):
    """Adds a little entropy, as every library does."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))
    distribution = policy(obs)
    policy_loss = -(weight * distribution.log_prob(actions)).mean()
    loss = policy_loss - 0.01 * distribution.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return policy_loss.item()


def wrong_column_of_weights(policy, optimizer, episodes, *, gamma):
    """Gives the weights a second axis, so every weight meets every step and nothing is left."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))[:, None]
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_nan_where_returns_are_equal(policy, optimizer, episodes, *, gamma):
    """Divides by a standard deviation of 0 where all returns are equal, and the weights become NaN."""
    obs, actions = _join(episodes)
    returns = torch.cat([_to_go(e.rewards, gamma) for e in episodes]).numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = torch.from_numpy((returns - returns.mean()) / returns.std())
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_padding_counts(policy, optimizer, episodes, *, gamma):
    """Pads the episodes to one length, and takes mean and standard deviation with the padding."""
    rewards = pad_sequence([e.rewards for e in episodes])
    weight = _standardize(_to_go(rewards, gamma))
    log_prob = torch.zeros_like(weight)
    for n, episode in enumerate(episodes):
        log_prob[: len(episode.rewards), n] = policy(episode.obs).log_prob(episode.actions)
    loss = -(weight * log_prob).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_cut_to_the_shortest(policy, optimizer, episodes, *, gamma):
    """Cuts all episodes to the length of the shortest, so that they can be stacked."""
    shortest = min(len(e.rewards) for e in episodes)
    weight = _standardize(torch.stack([_to_go(e.rewards, gamma)[:shortest] for e in episodes]))
    obs = torch.stack([e.obs[:shortest] for e in episodes]).flatten(0, 1)
    actions = torch.stack([e.actions[:shortest] for e in episodes]).flatten()
    loss = -(weight.flatten() * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def wrong_rewards_standardised(policy, optimizer, episodes, *, gamma):
    """Standardises the rewards and sums these to returns."""
    lengths = [len(e.rewards) for e in episodes]
    rewards = _standardize(torch.cat([e.rewards for e in episodes])).split(lengths)
    weight = torch.cat([_to_go(r, gamma) for r in rewards])
    obs, actions = _join(episodes)
    loss = -(weight * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def right_plain(policy, optimizer, episodes, *, gamma):
    """The lesson's lines one after the other, with the unbiased deviation."""
    obs, actions = _join(episodes)
    returns = torch.cat([_to_go(e.rewards, gamma) for e in episodes])
    centred = returns - returns.mean()
    std = (centred.square().sum() / max(len(returns) - 1, 1)).sqrt()
    loss = -(centred / (std + 1e-8) * policy(obs).log_prob(actions)).mean()
    policy.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def right_backward_for_each_episode(policy, optimizer, episodes, *, gamma):
    """Accumulates the gradients of the episodes, last one first, and takes one step at the end."""
    returns = [_to_go(e.rewards, gamma) for e in episodes]
    everything = torch.cat(returns)
    optimizer.zero_grad(set_to_none=False)
    total = 0.0
    for episode, g in list(zip(episodes, returns, strict=True))[::-1]:
        weight = (g - everything.mean()) / (everything.std(correction=0) + 1e-8)
        part = -(weight * policy(episode.obs).log_prob(episode.actions)).sum() / len(everything)
        part.backward()
        total += part.item()
    optimizer.step()
    return total


def right_closure(policy, optimizer, episodes, *, gamma):
    """Hands the whole computation to the optimiser's step as a closure."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards, gamma) for e in episodes]))

    def closure():
        optimizer.zero_grad()
        loss = -(weight * policy(obs).log_prob(actions)).mean()
        loss.backward()
        return loss

    return float(optimizer.step(closure))


def right_gradients_put_by_hand(policy, optimizer, episodes, *, gamma):
    """autograd.grad, and the gradients put in their places by hand."""
    obs, actions = _join(episodes)
    weight = _standardize(torch.cat([_to_go(e.rewards.double(), gamma) for e in episodes])).to(obs.dtype)
    distribution = policy(obs)
    chosen = F.nll_loss(F.log_softmax(distribution.logits, dim=-1), actions, reduction="none")
    loss = torch.dot(weight, chosen) / len(weight)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.item()


def right_step_by_step(policy, optimizer, episodes, *, gamma):
    """Loops over single steps, each as a batch of one, with returns in numpy."""
    returns = []
    for episode in episodes:
        g = 0.0
        backwards = [g := reward + gamma * g for reward in episode.rewards.tolist()[::-1]]
        returns += backwards[::-1]
    weights = (np.array(returns) - np.mean(returns)) / (np.std(returns) + 1e-8)
    steps = ((o, a) for e in episodes for o, a in zip(e.obs, e.actions, strict=True))
    loss = 0
    for (o, a), w in zip(steps, weights, strict=True):
        loss = loss - float(w) * policy(o.unsqueeze(0)).log_prob(a.unsqueeze(0)).squeeze() / len(weights)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
