"""Answers to true_next_observations, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_in_place(next_obs, done, final_obs):
    """Writes the final observations into next_obs, on which the policy goes on to act."""
    next_obs[done] = final_obs[done]
    return next_obs


def wrong_mask_by_multiplication(next_obs, done, final_obs):
    """Mixes with 0 and 1, so that a NaN in a row of final_obs that means nothing comes through."""
    ended = done.to(next_obs.dtype).unsqueeze(1)
    return ended * final_obs + (1 - ended) * next_obs


def wrong_branches_exchanged(next_obs, done, final_obs):
    """Takes final_obs where the episode goes on."""
    return torch.where(done[:, None], next_obs, final_obs)


def wrong_same_tensor_when_nothing_ended(next_obs, done, final_obs):
    """Returns next_obs itself where there is nothing to do."""
    if not done.any():
        return next_obs
    result = next_obs.clone()
    result[done] = final_obs[done]
    return result


def wrong_mask_along_the_features(next_obs, done, final_obs):
    """Broadcasts done [N] against [N, D] without a new axis, so that it chooses columns."""
    return torch.where(done, final_obs, next_obs)


def wrong_all_or_nothing(next_obs, done, final_obs):
    """Replaces every row as soon as one episode has ended."""
    if done.any().item():
        return final_obs.clone().to(next_obs.dtype)
    return next_obs.clone()


def wrong_masked_scatter(next_obs, done, final_obs):
    """Uses masked_scatter, which takes the first rows of final_obs instead of the rows that ended."""
    return next_obs.masked_scatter(done[:, None], final_obs.to(next_obs.dtype))


def wrong_writes_into_final_obs(next_obs, done, final_obs):
    """Leaves next_obs alone, and fills final_obs with the rows that go on instead."""
    going_on = ~done
    final_obs[going_on] = next_obs[going_on]
    return final_obs


def wrong_zero_where_ended(next_obs, done, final_obs):
    """Masks the ended rows with 0, as if observations were values."""
    return next_obs * (~done).unsqueeze(-1)


def wrong_stops_at_the_first_end(next_obs, done, final_obs):
    """Leaves the loop after the first environment whose episode has ended."""
    rows = next_obs.clone()
    for n, ended in enumerate(done.tolist()):
        if ended:
            rows[n] = final_obs[n]
            break
    return rows


def wrong_looks_at_final_obs(next_obs, done, final_obs):
    """Takes every row of final_obs that is not all zero, and does not ask done."""
    there = (final_obs != 0).any(dim=1)
    result = next_obs.clone()
    for n in range(len(result)):
        if there[n]:
            result[n] = final_obs[n].to(result.dtype)
    return result


def wrong_ended_rows_first(next_obs, done, final_obs):
    """Concatenates the ended and the other rows, which changes their order."""
    ended = final_obs[done].to(next_obs.dtype)
    return torch.cat([ended, next_obs[~done]], dim=0)


def wrong_through_float32(next_obs, done, final_obs):
    """Builds the result from float32 rows, whatever next_obs is."""
    rows = [final_obs[n].float() if done[n] else next_obs[n].float() for n in range(next_obs.shape[0])]
    return torch.stack(rows)


def right_stacked_and_indexed(next_obs, done, final_obs):
    """Stacks both and picks one of two for each environment with an index."""
    both = torch.stack([next_obs, final_obs.to(next_obs.dtype)])  # [2, N, D]
    return both[done.long(), torch.arange(len(done))]


def right_numpy_where(next_obs, done, final_obs):
    """Numpy's where with the mask as a column."""
    picked = np.where(done.numpy()[:, np.newaxis], final_obs.detach().numpy(), next_obs.detach().numpy())
    return torch.from_numpy(picked).to(next_obs.dtype)


def right_transposed_view(next_obs, done, final_obs):
    """With the features first, done broadcasts by itself; the result is a transposed view of a new tensor."""
    return torch.where(done, final_obs.T.to(next_obs.dtype), next_obs.T).T


def right_index_copy(next_obs, done, final_obs):
    """Out-of-place index_copy of the ended rows."""
    ended = torch.nonzero(done).squeeze(1)
    return torch.index_copy(next_obs, 0, ended, final_obs[ended].to(next_obs.dtype))
