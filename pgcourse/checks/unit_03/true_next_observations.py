"""true_next_observations(next_obs, done, final_obs): where an episode really ended up, before it was reset."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.kept import CallAndKeep
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.rollouts import named_call

SIGNATURE = "next_obs, done, final_obs"


def true_next_observations(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    """Rows of final_obs [N, D] where done [N], rows of next_obs [N, D] elsewhere; a new tensor."""
    return torch.where(done[:, None], final_obs, next_obs)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Rows of final_obs where the episode goes on hold other numbers: they mean nothing."""
    two = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    final = torch.tensor([[5.0, 6.0], [7.0, 8.0]])
    yield {"next_obs": two[:1], "done": torch.tensor([True]), "final_obs": final[:1]}
    yield {"next_obs": two, "done": torch.tensor([False, False]), "final_obs": final}
    yield {
        "next_obs": torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "done": torch.tensor([False, True, False]),
        "final_obs": torch.tensor([[0.0, 0.0], [30.0, 40.0], [0.0, 0.0]]),
    }
    # As many environments as numbers in an observation: a mask along the wrong axis raises nothing here.
    yield {"next_obs": two, "done": torch.tensor([True, False]), "final_obs": final}
    yield {"next_obs": two, "done": torch.tensor([True, True]), "final_obs": final}
    yield {
        "next_obs": torch.tensor([[1.0], [2.0], [3.0]]),
        "done": torch.tensor([True, False, True]),
        "final_obs": torch.tensor([[10.0], [20.0], [30.0]]),
    }
    # Where no episode ended, a row of final_obs holds whatever was in memory.
    yield {
        "next_obs": two,
        "done": torch.tensor([False, True]),
        "final_obs": torch.tensor([[float("nan"), float("inf")], [7.0, 8.0]]),
    }
    source = generator(seed)
    for count, dim, dtype in ((6, 4, torch.float32), (4, 4, torch.float32), (5, 3, torch.float64)):
        done = torch.rand(count, generator=source) < 0.4
        done[0], done[-1] = False, True
        yield {
            "next_obs": normal(source, count, dim, dtype=dtype),
            "done": done,
            "final_obs": normal(source, count, dim, dtype=dtype) + 3,
        }


# Wrong answers: o are the observations that step returned, d is done, f are the final observations.


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


EXERCISE = Exercise.listed(
    "true_next_observations",
    cases=cases,
    observe=CallAndKeep(SIGNATURE),
    reference=true_next_observations,
    show_case=named_call("true_next_observations", SIGNATURE),
    hints=(
        "After an end, next_obs already shows the first observation of the next episode. Which rows does that concern, "
        "and where has the environment put what you need?",
        "Choose row by row. done is [N] and the observations are [N, D]: give done a second axis of length 1, so that it "
        "speaks about rows. Or copy next_obs and write the finished rows into the copy.",
        "return torch.where(done[:, None], final_obs, next_obs)",
    ),
    misconceptions=(
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
            "rows-in-another-order",
            "Your result holds the right rows in another order. Row n belongs to environment n, before and after: selecting with "
            "a mask and putting together again loses the places.",
            lambda o, d, f: torch.cat([f[d], o[~d]]),
            (lambda o, d, f: torch.cat([o[~d], f[d]]),),
        ),
        Misconception(
            "looked-at-the-numbers",
            "You looked for rows of final_obs that hold something. Where no episode ended they may hold anything, zeros or old "
            "numbers: done alone says which rows count.",
            lambda o, d, f: torch.where((f != 0).any(1, keepdim=True), f, o),
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
            (lambda o, d, f: o[~d], lambda o, d, f: torch.cat([o, f[d]])),
        ),
    ),
)
