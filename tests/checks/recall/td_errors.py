"""Answers to td_errors, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_no_mask(rewards, values, next_values, terminated, *, gamma):
    """Bootstraps in every row, whatever happened in it."""
    return rewards + gamma * next_values - values


def wrong_mask_on_the_whole_target(rewards, values, next_values, terminated, *, gamma):
    """Masks reward and next value together, so the last reward is lost."""
    target = rewards + gamma * next_values
    target = target * (~terminated)
    return target - values


def wrong_mask_upside_down(rewards, values, next_values, terminated, *, gamma):
    """Multiplies by the flag instead of its opposite."""
    mask = terminated.to(rewards.dtype)
    return rewards + gamma * mask * next_values - values


def wrong_gamma_forgotten(rewards, values, next_values, terminated, *, gamma):
    """Leaves out the discount."""
    future = torch.where(terminated, torch.zeros_like(next_values), next_values)
    return rewards + future - values


def wrong_value_minus_target(rewards, values, next_values, terminated, *, gamma):
    """Prediction minus target, as in a regression residual."""
    target = rewards + gamma * next_values.masked_fill(terminated, 0.0)
    return values - target


def wrong_zeroes_the_input(rewards, values, next_values, terminated, *, gamma):
    """Sets the next values after a termination to zero, in the caller's tensor."""
    next_values[terminated] = 0.0
    return rewards + gamma * next_values - values


def wrong_gamma_on_the_difference(rewards, values, next_values, terminated, *, gamma):
    """Discounts the difference of the values, so V(s) is discounted as well."""
    alive = 1.0 - terminated.to(values.dtype)
    return rewards + gamma * (next_values * alive - values)


def wrong_next_row_as_next_value(rewards, values, next_values, terminated, *, gamma):
    """Takes the next value from the next row of values, and next_values only for the last row."""
    following = torch.cat([values[1:], next_values[-1:]], dim=0)
    return rewards + gamma * following * ~terminated - values


def wrong_mask_in_double(rewards, values, next_values, terminated, *, gamma):
    """Turns the flag into a double, which makes the whole result double."""
    not_over = 1 - terminated.double()
    return rewards + gamma * next_values * not_over - values


def wrong_everything_to_float32(rewards, values, next_values, terminated, *, gamma):
    """Casts all inputs to float32 first, to be safe."""
    r, v, nv, end = (x.float() for x in (rewards, values, next_values, terminated))
    return r + gamma * nv * (1 - end) - v


def wrong_value_masked_too(rewards, values, next_values, terminated, *, gamma):
    """Thinks that at a termination only the reward is left, without the value before it."""
    difference = gamma * next_values - values
    return rewards + difference * ~terminated


def wrong_mask_of_the_row_before(rewards, values, next_values, terminated, *, gamma):
    """Drops the next value in the row after the end, in the convention where done belongs to the observation."""
    steps = rewards.shape[0]
    out = torch.empty_like(rewards)
    for t in range(steps):
        over = terminated[t - 1] if t > 0 else torch.zeros_like(terminated[0])
        out[t] = rewards[t] + gamma * next_values[t] * (~over) - values[t]
    return out


def wrong_one_minus_bool(rewards, values, next_values, terminated, *, gamma):
    """Writes 1 - terminated on a bool tensor, which torch refuses."""
    return rewards + gamma * next_values * (1 - terminated) - values


def wrong_stacked_on_the_other_axis(rewards, values, next_values, terminated, *, gamma):
    """Loops over time and stacks the rows as columns."""
    rows = []
    for r, v, nv, over in zip(rewards, values, next_values, terminated, strict=True):
        rows.append(r + gamma * nv * ~over - v)
    return torch.stack(rows, dim=1)


def wrong_one_end_is_all_ends(rewards, values, next_values, terminated, *, gamma):
    """Asks if anything ended in this step, and drops the next value of all environments."""
    errors = []
    for t in range(len(rewards)):
        if terminated[t].any():
            errors.append(rewards[t] - values[t])
        else:
            errors.append(rewards[t] + gamma * next_values[t] - values[t])
    return torch.stack(errors)


def wrong_discounted_from_the_start(rewards, values, next_values, terminated, *, gamma):
    """Discounts each row by gamma to the power of its time step as well."""
    delta = rewards + gamma * next_values * ~terminated - values
    powers = gamma ** torch.arange(delta.shape[0], dtype=delta.dtype)
    return powers[:, None] * delta


def right_addcmul(rewards, values, next_values, terminated, *, gamma):
    """One fused call: difference plus gamma times mask times next value."""
    going_on = terminated.logical_not().to(rewards.dtype)
    return torch.addcmul(rewards - values, going_on, next_values, value=gamma)


def right_numpy_in_double(rewards, values, next_values, terminated, *, gamma):
    """Numpy in double precision, cast back at the end."""
    r, v, nv = (x.detach().numpy().astype(np.float64) for x in (rewards, values, next_values))
    target = r + gamma * np.where(terminated.numpy(), 0.0, nv)
    return torch.from_numpy(target - v).to(rewards.dtype)


def right_clone_and_index(rewards, values, next_values, terminated, *, gamma):
    """Works on a clone, and adds the next value only to the rows that go on."""
    delta = rewards.clone()
    going_on = ~terminated
    delta[going_on] += gamma * next_values[going_on]
    delta -= values
    return delta


def right_cell_by_cell(rewards, values, next_values, terminated, *, gamma):
    """Python floats in a nested comprehension; the result is the transpose of a transposed table."""
    steps, envs = rewards.shape
    table = [
        [
            float(rewards[t, n]) + (0.0 if terminated[t, n] else gamma * float(next_values[t, n])) - float(values[t, n])
            for t in range(steps)
        ]
        for n in range(envs)
    ]
    return torch.tensor(table, dtype=rewards.dtype).T
