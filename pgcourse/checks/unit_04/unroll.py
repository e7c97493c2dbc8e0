"""unroll(cell, inputs, state, ended): a recurrent cell through a rollout, emptied where an episode begins."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.algorithms.recurrent import unroll
from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.observe.recurrent import Unroll
from pgcourse.checks.wording import value

SIGNATURE = "cell, inputs, state, ended"


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: one number remembered by half, then more units and environments than one."""
    for inputs, state, ended in _BY_HAND:
        yield _halving(torch.tensor(inputs).T[..., None], torch.tensor(state)[:, None], ended)
    source = generator(seed)
    yield _random(source, 5, 2, 3, 2, share=3)  # as many units as environments
    yield _random(source, 9, 4, 3, 2, share=4, dtype=torch.float64)
    yield _random(source, 24, 3, 1, 5, share=9)
    yield _remembering(source, 40)


# Inputs, states before the first step, and the steps that end an episode: a list for each environment.
_BY_HAND: tuple[tuple[list[list[float]], list[float], list[list[int]]], ...] = (
    ([[1.0, 1.0, 1.0, 1.0]], [4.0], [[1]]),  # the example
    ([[1.0, 1.0, 1.0]], [4.0], [[]]),  # one episode goes on through the rollout
    ([[1.0, 1.0, 1.0]], [4.0], [[2]]),  # the rollout ends with an episode
    ([[1.0, 1.0, 1.0]], [4.0], [[0]]),
    ([[1.0, 2.0, 4.0, 8.0]], [4.0], [[1, 2]]),  # an episode of one step
    ([[3.0]], [2.0], [[]]),
    ([[3.0]], [2.0], [[0]]),
    ([[1.0, 2.0, 4.0, 8.0], [8.0, 4.0, 2.0, 1.0]], [4.0, 2.0], [[1], [2, 3]]),
)


def _halving(inputs: Tensor, state: Tensor, ends: list[list[int]]) -> Case:
    """The cell x + h / 2 of one unit."""
    ended = torch.zeros(inputs.shape[:2], dtype=torch.bool)
    for environment, steps in enumerate(ends):
        ended[steps, environment] = True
    one = torch.ones(1, 1)
    weights = {"cell.inputs": one, "cell.states": one / 2, "cell.bias": torch.zeros(1), "tanh": False}
    return {"inputs": inputs.contiguous(), "state": state, "ended": ended, **weights}


def _random(
    source: torch.Generator,
    steps: int,
    envs: int,
    dims: int,
    units: int,
    *,
    share: int,
    dtype: torch.dtype = torch.float32,
) -> Case:
    """A rollout in which each step ends an episode with probability 1 / share, and a cell with a bias and tanh."""
    return {
        "inputs": normal(source, steps, envs, dims, dtype=dtype),
        "state": normal(source, envs, units, dtype=dtype) / 2,
        "ended": integers(source, share, steps, envs) == 0,
        "cell.inputs": normal(source, dims, units, dtype=dtype) / 2,
        "cell.states": normal(source, units, units, dtype=dtype) / 2,
        "cell.bias": normal(source, units, dtype=dtype) / 2,
        "tanh": True,
    }


def _remembering(source: torch.Generator, steps: int) -> Case:
    """A cell that turns its state and keeps its length, nearly: the last state depends on the first steps, too."""
    case = _random(source, steps, 2, 3, 4, share=steps, dtype=torch.float64)
    case["ended"][:, 0] = False
    turned = torch.linalg.qr(case["cell.states"]).Q
    small = {name: case[name] / 20 for name in ("inputs", "state", "cell.bias")}
    return {**case, **small, "cell.states": turned}


def _show(case: Case) -> str:
    given = ", ".join(f"{name}={value(case[name])}" for name in ("inputs", "state", "ended"))
    formula = "tanh(x @ A + h @ B + c)" if case["tanh"] else "x + h / 2"
    return f"unroll(cell, {given}), where cell(x, h) is {formula}"


def written_out(cell, inputs, state, ended):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    keep = (~ended).to(state.dtype)
    start = state  # noqa: F841 - for the wrong ones
    outputs = []
    for t in range(len(inputs)):
        state = cell(inputs[t], state)
        outputs.append(state)
        state = state * keep[t, :, None]
    return torch.stack(outputs), state


def shifted_on(keep: Tensor) -> Tensor:
    """Each row gets the mask of the one before; nothing is masked at the first."""
    return torch.cat([torch.ones_like(keep[:1]), keep[:-1]])


def shifted_back(keep: Tensor) -> Tensor:
    """Each row gets the mask of the one after it; nothing is masked at the last."""
    return torch.cat([keep[1:], torch.ones_like(keep[:1])])


NAMES: dict[str, Any] = {shift.__name__: shift for shift in (shifted_on, shifted_back)}
mistake = edits_of(written_out, **NAMES)
MASK = "state = state * keep[t, :, None]"
STEP = "state = cell(inputs[t], state)"

EXERCISE = Exercise.listed(
    "unroll",
    cases=cases,
    observe=Unroll(),
    show_case=_show,
    reference=unroll,
    hints=(
        "Go through time one step after the other. Between two steps there is one question for each environment: does the next "
        "step belong to the same episode? Which row of ended answers it, and what is the answer after the last step for?",
        "In the loop over t: call the cell with the inputs of step t and the states as they are; keep what it returns as the "
        "output of step t; then set the states of those environments to 0 whose ended[t] is True. What is left after the "
        "loop is the second result. Build new tensors on the way, and cut no gradient.",
        "outputs = []; for t in range(len(inputs)): state = cell(inputs[t], state); outputs.append(state); state = state * "
        "(~ended[t]).to(state.dtype)[:, None]. Then: return torch.stack(outputs), state",
    ),
    misconceptions=(
        mistake(
            "emptied-one-step-early",
            "You empty the memory before the step that ends the episode, so its last step forgets all that came before it. "
            "ended[t] is about the step after t: first the cell and its output, then the mask.",
            {STEP: "state = cell(inputs[t], state * keep[t, :, None])", MASK: "pass"},
            {STEP: "state = cell(inputs[t], state * keep[t, :, None])"},
            {MASK: "state = state * shifted_back(keep)[t, :, None]"},
            {MASK: "state = state * keep[min(t + 1, len(keep) - 1), :, None]"},
        ),
        mistake(
            "emptied-one-step-late",
            "The first step of a new episode still sees the old memory, and only the one after it begins empty. ended[t] "
            "decides over the state between step t and step t + 1.",
            {MASK: "state = state * shifted_on(keep)[t, :, None]"},
            {MASK: "state = state * keep[t - 1, :, None]"},
            {STEP: "state = cell(inputs[t], state * shifted_on(shifted_on(keep))[t, :, None])", MASK: "pass"},
            {
                STEP: "state = cell(inputs[t], state * shifted_on(shifted_on(keep))[t, :, None])",
                MASK: "pass",
                "(outputs), state": "(outputs), state * keep[-1, :, None]",
            },
        ),
        mistake(
            "never-emptied",
            "ended has no influence on your states: a new episode begins with the memory of the one before it, of a pole "
            "that has fallen. Between step t and step t + 1 the states of the environments in which ended[t] is True become 0.",
            {MASK: "pass"},
            {MASK: "pass", "(outputs), state": "(outputs), state * keep[-1, :, None]"},
        ),
        mistake(
            "all-environments-emptied-together",
            "Your mask is the same for all environments: the end of an episode in one of them empties the memory of all, or none "
            "is emptied until all have ended. Each environment, a row of the states, has its own episodes: the mask needs one "
            "number a row, [N, 1].",
            {MASK: "state = state * keep[t].min()"},
            {MASK: "state = state * keep[t].max()"},
            {MASK: "state = state * keep[t, 0]"},
        ),
        mistake(
            "last-state-not-emptied",
            "The outputs are right. The states for the next rollout are not: where the episode ended with the last step, the "
            "next rollout begins another one, and needs zeros. Apply the mask of the last step as well.",
            {"(outputs), state": "(outputs), outputs[-1]"},
        ),
        mistake(
            "last-state-is-another",
            "The outputs are right, and the second result is not the state after the last step: it is zeros, the state that "
            "came in, or that of a step before. The next rollout goes on where this one stopped, mostly within an episode.",
            {"(outputs), state": "(outputs), 0 * state"},
            {"(outputs), state": "(outputs), start"},
            {
                "outputs = []": "outputs = []\n    before = state",
                STEP: f"before = state\n        {STEP}",
                "(outputs), state": "(outputs), before",
            },
            {"(outputs), state": "(outputs), start * keep[-1, :, None]"},
        ),
        mistake(
            "masked-outputs",
            "Your outputs are the states after the mask, so the last step of each episode gives zeros: the policy would act "
            "there without its memory. The output of a step is what the cell returned; the mask comes after it, and makes a new "
            "tensor: state[ended[t]] = 0 changes the one that is in your list already.",
            {
                "outputs.append(state)": "",
                "    return": "    pass\n    return",
                MASK: f"{MASK}\n        outputs.append(state)",
            },
            {MASK: "state[ended[t]] = 0"},
        ),
        mistake(
            "state-of-the-rollout-ignored",
            "You begin with zeros. The rollout may begin in the middle of an episode, and state is what that episode has left in "
            "the memory so far.",
            {"start = state": "start = state = torch.zeros_like(state)"},
        ),
        mistake(
            "emptied-to-the-first-state",
            "Where an episode begins you put the states from before the rollout. They belong to the episodes that were running "
            "then; a new episode begins with zeros.",
            {MASK: "state = torch.where(ended[t, :, None], start, state)"},
        ),
        mistake(
            "state-not-carried-on",
            "Every step starts from the same state, so nothing is remembered from one step to the next. The state that the cell "
            "returns is the one that it gets in the next step.",
            {STEP: "output = cell(inputs[t], state)", "append(state)": "append(output)", MASK: "pass"},
            {STEP: "state = cell(inputs[t], start)"},
            {STEP: "state = cell(inputs[t], 0 * start)"},
        ),
        mistake(
            "gradient-cut-at-every-step",
            "The numbers are right, and no gradient goes back through time: the state is detached between the steps, so the cell "
            "can never learn what to remember. Take the detach, the no_grad or the .data away; zeros at an episode's end cut by "
            "themselves.",
            {
                "keep[t, :, None]": "keep[t, :, None].detach()",
                "    return": "    pass\n    return",
                "state = state *": "state = state.detach() *",
            },
            {STEP: "state = cell(inputs[t], state.detach())"},
        ),
        mistake(
            "gradient-of-the-first-state-cut",
            "The numbers are right, and the gradient does not reach the states from before the rollout. Whether it shall end "
            "there is the caller's business, who can hand over a detached tensor; this function cuts nothing.",
            {"start = state": "start = state = state.detach()"},
        ),
        mistake(
            "inputs-emptied",
            "You set inputs to zero at the ends of episodes. The observation of a step is true, and wanted: what has to go is "
            "the memory.",
            {STEP: "state = cell(inputs[t] * keep[t, :, None], state)", MASK: "pass"},
            {STEP: "state = cell(inputs[t] * shifted_on(keep)[t, :, None], state)", MASK: "pass"},
            {STEP: "state = cell(inputs[t] * shifted_on(keep)[t, :, None], state)"},
            {STEP: "state = cell(inputs[t] * keep[t, :, None], state)"},
        ),
        mistake(
            "empty-for-ever-after",
            "Once an episode has ended in an environment, its memory stays empty for the rest of the rollout. Another episode "
            "begins there at once, and it remembers as well: the mask of a step counts for this step alone.",
            {"keep = (~ended).to(state.dtype)": "keep = (~ended).to(state.dtype).cumprod(0)"},
        ),
        mistake(
            "mask-along-the-units",
            "Your mask has the shape [N] and meets states [N, H]: it broadcasts along the units, so that environment n's end "
            "empties unit n of every environment, or raises an error. One number a row is [N, 1].",
            {"keep[t, :, None]": "keep[t]"},
        ),
        mistake(
            "mask-upside-down",
            "You keep the states where the episode ended and empty all the others. ~ended[t] is the mask: 1 where the episode "
            "goes on.",
            {"(~ended)": "ended"},
        ),
        mistake(
            "cells-arguments-exchanged",
            "You call the cell with states and inputs in exchanged places. It takes the inputs [N, D] first, then the states "
            "[N, H].",
            {"cell(inputs[t], state)": "cell(state, inputs[t])"},
        ),
        mistake(
            "time-on-the-second-axis",
            "Your outputs have the environments on the first axis. They are [T, N, H], time first, like the inputs.",
            {"torch.stack(outputs)": "torch.stack(outputs, 1)"},
        ),
    ),
)
