"""Right answers to true_next_observations in other styles."""

import torch


def right_with_index(next_obs, done, final_obs):
    result = next_obs.clone()
    result[done] = final_obs[done]
    return result


def right_with_loop(next_obs, done, final_obs):
    return torch.stack([final_obs[n] if done[n] else next_obs[n] for n in range(len(done))])


def right_with_numpy(next_obs, done, final_obs):
    result = next_obs.numpy().copy()
    for n in done.numpy().nonzero()[0]:
        result[n] = final_obs.numpy()[n]
    return torch.from_numpy(result)
