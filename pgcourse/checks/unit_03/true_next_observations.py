"""true_next_observations(next_obs, done, final_obs): where an episode really ended up, before it was reset."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.observe import CallAndKeep
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
    done, final = torch.arange(5) % 2 == int(integers(source, 2)), normal(source, 5, 3)
    final[~done] = torch.tensor([torch.nan, torch.inf, 0.0])
    yield {"next_obs": normal(source, 5, 3), "done": done, "final_obs": final}


mistake = edits_of(true_next_observations)

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
        mistake(
            "reset-observations-kept",
            "You returned next_obs as it came. Where an episode ended it shows the first observation of the next one, and the "
            "critic would judge the old episode by the start of a new one.",
            lambda next_obs, done, final_obs: next_obs.clone(),
            lambda next_obs, done, final_obs: next_obs,
        ),
        mistake(
            "final-observations-everywhere",
            "You took final_obs for all rows, always or as soon as one environment finished. Its rows mean something only "
            "where an episode has ended; elsewhere Gymnasium leaves them empty or with old numbers. Choose row by row.",
            lambda next_obs, done, final_obs: final_obs.clone(),
            lambda next_obs, done, final_obs: final_obs,
            lambda next_obs, done, final_obs: final_obs if done.any() else next_obs,
            {"done[:, None]": "done.any()"},
            {"done[:, None]": "done.all()"},
        ),
        mistake(
            "choice-inverted",
            "You chose the wrong way round: torch.where takes its second argument where the condition is True.",
            {"final_obs, next_obs": "next_obs, final_obs"},
        ),
        mistake(
            "mask-along-the-wrong-axis",
            "done has one entry for each environment, but lined up with the last axis of [N, D] it speaks about columns: an "
            "error where N is not D, and a silent mixture of the two observations where it is. Give done a second axis.",
            {"done[:, None]": "done"},
            {"torch.where(done[:, None], final_obs, next_obs)": "done * final_obs + ~done * next_obs"},
        ),
        mistake(
            "mask-multiplied",
            "You chose by multiplying with the mask. A mask that multiplies does not remove NaN or infinity, because 0 times "
            "either is NaN: choose with torch.where, or write the finished rows into a copy.",
            {
                "torch.where(done[:, None], final_obs, next_obs)": "done[:, None] * final_obs + ~done[:, None] * next_obs"
            },
            {"torch.where(done[:, None], final_obs, next_obs)": "next_obs + done[:, None] * (final_obs - next_obs)"},
        ),
        mistake(
            "rows-in-another-order",
            "Your result holds rows in the wrong places. Row n belongs to environment n, in final_obs and in the result: "
            "selecting with a mask, or counting the finished environments, loses the places.",
            {"final_obs, next_obs": "final_obs[(done.cumsum(0) - 1).clamp(min=0)], next_obs"},
            {"torch.where(done[:, None], final_obs, next_obs)": "torch.cat([final_obs[done], next_obs[~done]])"},
            {"torch.where(done[:, None], final_obs, next_obs)": "torch.cat([next_obs[~done], final_obs[done]])"},
        ),
        mistake(
            "looked-at-the-numbers",
            "You looked for rows of final_obs that hold something. Where no episode ended they may hold anything, zeros or "
            "old numbers: done alone says which rows count.",
            {"done[:, None]": "(final_obs != 0).any(1, keepdim=True)"},
        ),
        mistake(
            "first-end-only",
            "You replaced one row only. Several environments can finish at the same step, and each of them needs it.",
            {"done[:, None]": "(done & (done.cumsum(0) == 1))[:, None]"},
        ),
        mistake(
            "finished-rows-blanked",
            "You set the rows of finished episodes to 0. Whether a value counts is decided later, by terminated alone.",
            {"final_obs, next_obs": "0.0, next_obs"},
        ),
    ),
)
