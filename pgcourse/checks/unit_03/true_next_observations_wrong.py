"""Wrong answers to true_next_observations: o the observations that step returned, d done, f the final ones."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception


def _right(o: Tensor, d: Tensor, f: Tensor) -> Tensor:
    return torch.where(d[:, None], f, o)


def _in_place(o: Tensor, d: Tensor, f: Tensor) -> Tensor:
    o[d] = f[d]
    return o


def _in_place_for_the_final(o: Tensor, d: Tensor, f: Tensor) -> Tensor:
    f[~d] = o[~d]
    return f


def _in_order(o: Tensor, d: Tensor, f: Tensor) -> Tensor:
    result = o.clone()
    result[d] = f[: int(d.sum())]
    return result


def _first_only(o: Tensor, d: Tensor, f: Tensor) -> Tensor:
    result = o.clone()
    if d.any():
        n = int(d.float().argmax())
        result[n] = f[n]
    return result


def _blend(mask: Tensor, o: Tensor, f: Tensor) -> Tensor:
    return mask * f + (1 - mask) * o


MISCONCEPTIONS = (
    Misconception(
        "reset-observations-kept",
        "You returned next_obs as it came. Where an episode ended it shows the first observation of the next one, and the "
        "critic would judge the old episode by the start of a new one.",
        lambda o, d, f: o.clone(),
        (lambda o, d, f: o,),
    ),
    Misconception(
        "final-observations-everywhere",
        "You took final_obs for every row. Its rows mean something only where an episode has ended; elsewhere Gymnasium "
        "leaves them empty or with old numbers.",
        lambda o, d, f: f.clone(),
        (lambda o, d, f: f,),
    ),
    Misconception(
        "choice-inverted",
        "You chose the wrong way round: final_obs where the episode goes on, next_obs where it ended. torch.where takes "
        "its second argument where the condition is True.",
        lambda o, d, f: torch.where(d[:, None], o, f),
        (lambda o, d, f: _blend(1 - d.to(o.dtype)[:, None], o, f),),
    ),
    Misconception(
        "changed-in-place",
        "You wrote the final observations into a tensor that you were given. The collector acts on next_obs afterwards, "
        "and would choose actions for episodes that are over. Write into a copy.",
        _in_place,
        (_in_place_for_the_final, lambda o, d, f: o.copy_(_right(o, d, f))),
    ),
    Misconception(
        "input-itself-returned",
        "Where no episode ended you returned next_obs itself, not a new tensor. An environment that reuses its memory "
        "overwrites it at the next step, and what you stored changes behind your back. Always return a copy.",
        lambda o, d, f: _right(o, d, f) if d.any() else o,
        (
            lambda o, d, f: o if not d.any() else f if d.all() else _right(o, d, f),
            lambda o, d, f: f if d.all() else _right(o, d, f),
        ),
    ),
    Misconception(
        "mask-along-the-wrong-axis",
        "done has one entry for each environment, but lined up with the last axis of [N, D] it speaks about columns. With "
        "N different from D torch raises an error; with N equal to D it mixes numbers of the two observations in silence. "
        "Give done a second axis.",
        lambda o, d, f: torch.where(d, f, o),
        (
            lambda o, d, f: d * f + ~d * o,
            lambda o, d, f: _blend(d.to(o.dtype), o, f),
            lambda o, d, f: torch.where(d[None, :], f, o),
            lambda o, d, f: torch.where(~d, o, f),
        ),
    ),
    Misconception(
        "all-rows-when-any-ends",
        "As soon as one environment finished, you took the final observations of all. Each environment ends on its own: "
        "choose row by row.",
        lambda o, d, f: (f if d.any() else o).clone(),
        (lambda o, d, f: (f if d.all() else o).clone(), lambda o, d, f: f if d.any() else o),
    ),
    Misconception(
        "final-observations-counted-off",
        "You took the first rows of final_obs for the finished environments. They stand in their own rows: row n of "
        "final_obs belongs to environment n.",
        _in_order,
    ),
    Misconception(
        "first-end-only",
        "You replaced one row only. Several environments can finish at the same step, and each of them needs its own last "
        "observation.",
        _first_only,
        (lambda o, d, f: _first_only(o.flip(0), d.flip(0), f.flip(0)).flip(0),),
    ),
    Misconception(
        "finished-rows-blanked",
        "You set the rows of finished episodes to 0, as for the value after a termination. Whether a value counts is "
        "decided later, by terminated; a truncated episode needs its last observation.",
        lambda o, d, f: o * ~d[:, None],
        (lambda o, d, f: o.masked_fill(d[:, None], float("nan")),),
    ),
    Misconception(
        "rows-lost-or-added",
        "Your result has another number of rows than there are environments. Every environment took a step, and each "
        "keeps its row: replace rows, do not select or append them.",
        lambda o, d, f: f[d],
        (lambda o, d, f: o[~d], lambda o, d, f: torch.cat([o, f[d]]), lambda o, d, f: torch.cat([o[~d], f[d]])),
    ),
    Misconception(
        "always-float32",
        "The numbers are right, but float64 observations came back as float32. Keep the dtype of next_obs.",
        lambda o, d, f: _right(o, d, f).float().clone(),
    ),
)
