"""true_next_observations(next_obs, done, final_obs): where an episode really ended up, before it was reset."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.kept import CallAndKeep
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.rollouts import named_call
from pgcourse.checks.unit_03.true_next_observations_wrong import MISCONCEPTIONS

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
    source = generator(seed)
    for count, dim, dtype in ((6, 4, torch.float32), (4, 4, torch.float32), (5, 3, torch.float64)):
        done = torch.rand(count, generator=source) < 0.4
        done[0], done[-1] = False, True
        yield {
            "next_obs": normal(source, count, dim, dtype=dtype),
            "done": done,
            "final_obs": normal(source, count, dim, dtype=dtype) + 3,
        }


def _with_index(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    result = next_obs.clone()
    result[done] = final_obs[done]
    return result


def _with_loop(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    return torch.stack([final_obs[n] if done[n] else next_obs[n] for n in range(len(done))])


def _with_arithmetic(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    mask = done.to(next_obs.dtype).unsqueeze(-1)
    return mask * final_obs + (1 - mask) * next_obs


def _with_advanced_indexing(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    return torch.stack([next_obs, final_obs])[done.long(), torch.arange(len(done))]


def _with_numpy(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    result = next_obs.numpy().copy()
    for n in done.numpy().nonzero()[0]:
        result[n] = final_obs.numpy()[n]
    return torch.from_numpy(result)


EXERCISE = Exercise(
    id="true_next_observations",
    unit="03",
    title="The true next observations",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=CallAndKeep(SIGNATURE),
    reference=true_next_observations,
    show_case=named_call("true_next_observations", SIGNATURE),
    alternatives=(_with_index, _with_loop, _with_arithmetic, _with_advanced_indexing, _with_numpy),
    hints=(
        "After an end, next_obs already shows the first observation of the next episode. Which rows does that concern, "
        "and where has the environment put what you need?",
        "Choose row by row. done is [N] and the observations are [N, D]: give done a second axis of length 1, so that it "
        "speaks about rows. Or copy next_obs and write the finished rows into the copy.",
        "return torch.where(done[:, None], final_obs, next_obs)",
    ),
    misconceptions=MISCONCEPTIONS,
)
