"""Answers to shaped_rewards, written from the lesson and the stub alone."""

import torch


def wrong_no_gamma(rewards, potentials, next_potentials, terminated, *, gamma):
    """Pays the difference of the potentials, and leaves the discount out."""
    return rewards + next_potentials * ~terminated - potentials


def wrong_gamma_on_both(rewards, potentials, next_potentials, terminated, *, gamma):
    """Discounts the whole difference."""
    return rewards + gamma * (next_potentials * ~terminated - potentials)


def wrong_gamma_on_the_first(rewards, potentials, next_potentials, terminated, *, gamma):
    """Discounts the potential before the step."""
    return rewards + next_potentials * ~terminated - gamma * potentials


def wrong_sign(rewards, potentials, next_potentials, terminated, *, gamma):
    """Takes the potential after the step from the one before it."""
    return rewards + potentials - gamma * next_potentials * ~terminated


def wrong_terminal_potential_kept(rewards, potentials, next_potentials, terminated, *, gamma):
    """Trusts next_potentials everywhere."""
    return rewards + gamma * next_potentials - potentials


def wrong_inverted(rewards, potentials, next_potentials, terminated, *, gamma):
    """Counts the potential only where the episode terminated."""
    return rewards + gamma * next_potentials * terminated - potentials


def wrong_no_shaping_at_the_end(rewards, potentials, next_potentials, terminated, *, gamma):
    """Drops the whole shaping where the episode terminated."""
    return rewards + (gamma * next_potentials - potentials) * ~terminated


def wrong_no_reward_at_the_end(rewards, potentials, next_potentials, terminated, *, gamma):
    """Masks the reward too."""
    return (rewards + gamma * next_potentials) * ~terminated - potentials


def wrong_last_row_is_an_end(rewards, potentials, next_potentials, terminated, *, gamma):
    """Thinks that nothing follows the rollout."""
    alive = ~terminated
    alive = torch.cat([alive[:-1], torch.zeros_like(alive[-1:])])
    return rewards + gamma * next_potentials * alive - potentials


def wrong_shifted_potentials(rewards, potentials, next_potentials, terminated, *, gamma):
    """Takes the next row's potential for the one after the step."""
    after = torch.cat([potentials[1:], next_potentials[-1:]])
    return rewards + gamma * after * ~terminated - potentials


def wrong_mask_one_row_early(rewards, potentials, next_potentials, terminated, *, gamma):
    """Reads terminated as "the episode had ended before this step"."""
    ended = torch.cat([terminated[1:], torch.zeros_like(terminated[:1])])
    return rewards + gamma * next_potentials * ~ended - potentials


def wrong_shaping_alone(rewards, potentials, next_potentials, terminated, *, gamma):
    """Returns F, and forgets the reward."""
    return gamma * next_potentials * ~terminated - potentials


def wrong_potential_before_masked(rewards, potentials, next_potentials, terminated, *, gamma):
    """Sets the other potential to 0."""
    return rewards + gamma * next_potentials - potentials * ~terminated


def wrong_in_place(rewards, potentials, next_potentials, terminated, *, gamma):
    """Adds to the rewards that it was given."""
    rewards += gamma * next_potentials * ~terminated - potentials
    return rewards


def wrong_changes_next_potentials(rewards, potentials, next_potentials, terminated, *, gamma):
    """Empties the entries of next_potentials themselves."""
    next_potentials[terminated] = 0
    return rewards + gamma * next_potentials - potentials


def wrong_float32(rewards, potentials, next_potentials, terminated, *, gamma):
    """Returns single precision, whatever came in."""
    return (rewards + gamma * next_potentials * ~terminated - potentials).float()


def wrong_summed(rewards, potentials, next_potentials, terminated, *, gamma):
    """Returns the sum over time."""
    return (rewards + gamma * next_potentials * ~terminated - potentials).sum(0)


def wrong_any_environment(rewards, potentials, next_potentials, terminated, *, gamma):
    """Counts a step as an end for all environments if one of them ended."""
    alive = ~terminated.any(dim=1, keepdim=True)
    return rewards + gamma * next_potentials * alive - potentials


def wrong_returned_as_lists(rewards, potentials, next_potentials, terminated, *, gamma):
    """Builds nested lists of numbers."""
    return (rewards + gamma * next_potentials * ~terminated - potentials).tolist()


def right_loops(rewards, potentials, next_potentials, terminated, *, gamma):
    """One entry after the other."""
    shaped = torch.empty_like(rewards)
    for t in range(rewards.shape[0]):
        for n in range(rewards.shape[1]):
            after = 0.0 if terminated[t, n] else next_potentials[t, n]
            shaped[t, n] = rewards[t, n] + gamma * after - potentials[t, n]
    return shaped


def right_where(rewards, potentials, next_potentials, terminated, *, gamma):
    """Chooses between the potential and 0."""
    return torch.where(terminated, rewards - potentials, rewards - potentials + gamma * next_potentials)


def right_masked_fill(rewards, potentials, next_potentials, terminated, *, gamma):
    """Fills a copy with zeros."""
    return rewards.add(next_potentials.masked_fill(terminated, 0), alpha=gamma).sub(potentials)


def right_numpy(rewards, potentials, next_potentials, terminated, *, gamma):
    """In NumPy and back, with the dtype kept."""
    after = next_potentials.numpy() * ~terminated.numpy()
    return torch.from_numpy(rewards.numpy() + gamma * after - potentials.numpy()).to(rewards.dtype)


def right_double(rewards, potentials, next_potentials, terminated, *, gamma):
    """In double precision and back."""
    alive = 1.0 - terminated.double()
    return (rewards.double() + gamma * alive * next_potentials.double() - potentials.double()).to(rewards.dtype)


def right_copy_and_index(rewards, potentials, next_potentials, terminated, *, gamma):
    """Works on clones, row by row."""
    shaped, after = rewards.clone(), next_potentials.clone()
    after[terminated] = 0.0
    for t in range(len(shaped)):
        shaped[t] += gamma * after[t] - potentials[t]
    return shaped
