"""shaped_rewards(rewards, potentials, next_potentials, terminated, *, gamma): rewards with the gain of a potential added."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.wording import value
from pgcourse.study.exploration import shaped_rewards

SIGNATURE = "rewards, potentials, next_potentials, terminated, *, gamma"
NAMES = ("rewards", "potentials", "next_potentials", "terminated")
RUNNING, ENDED = False, True


def column(rewards: list[float], potentials: list[float], after: list[float], ended: list[bool], gamma: float) -> Case:
    """One environment by hand, [T, 1]; `after` are the potentials of the true next states."""
    columns = (torch.tensor(each)[:, None] for each in (rewards, potentials, after, ended))
    return dict(zip(NAMES, columns, strict=True)) | {"gamma": gamma}


def random_case(seed: int, steps: int, envs: int, *, gamma: float, dtype: torch.dtype = torch.float32) -> Case:
    """A rollout [T, N] whose episodes terminate, are truncated, or go on; next potentials are those of the true next states."""
    source = generator(seed)
    kinds = integers(source, 5, steps, envs)  # 0 terminated, 1 truncated
    potentials, fresh = (normal(source, steps, envs, dtype=dtype) * 20 - 10 for _ in range(2))
    following = torch.cat([potentials[1:], fresh[-1:]])
    rewards = normal(source, steps, envs, dtype=dtype)
    columns = (rewards, potentials, torch.where(kinds <= 1, fresh, following), kinds == 0)
    return dict(zip(NAMES, columns, strict=True)) | {"gamma": gamma}


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Inside an episode the next potential is the potential of the next row."""
    yield column([1.0], [-4.0], [-2.0], [RUNNING], 0.5)
    yield column([1.0], [-4.0], [-2.0], [ENDED], 0.5)
    yield column([0.0, 0.0, 1.0], [-5.0, -6.0, -8.0], [-6.0, -8.0, -4.0], [RUNNING] * 3, 0.5)
    # The second step ends its episode: the third row begins another one, and -7 is of the state in which the first ended.
    yield column([0.0, 2.0, 1.0], [-5.0, -6.0, -8.0], [-6.0, -7.0, -4.0], [RUNNING, ENDED, RUNNING], 0.5)
    yield column([0.0, 2.0, 1.0], [-5.0, -6.0, -8.0], [-6.0, -7.0, -4.0], [RUNNING, RUNNING, RUNNING], 0.5)
    yield column([1.0, 2.0], [3.0, 5.0], [5.0, 4.0], [RUNNING] * 2, 0.0)
    yield column([1.0, 2.0], [3.0, 5.0], [5.0, 4.0], [RUNNING] * 2, 1.0)
    yield column([1.0, 2.0], [3.0, 5.0], [6.0, 9.0], [ENDED] * 2, 0.9)
    yield random_case(seed, 6, 3, gamma=0.9)
    yield random_case(seed + 1, 5, 5, gamma=0.99, dtype=torch.float64)


def written_out(
    rewards: Tensor, potentials: Tensor, next_potentials: Tensor, terminated: Tensor, *, gamma: float
) -> Tensor:
    """A right answer in a learner's words, from which the wrong ones are made."""
    after = next_potentials * ~terminated
    gain = gamma * after - potentials
    return rewards + gain


def shifted_back(flags: Tensor) -> Tensor:
    """Each row gets the flags of the next one, the last row none."""
    return torch.cat([flags[1:], torch.zeros_like(flags[:1])])


def shifted_on(flags: Tensor) -> Tensor:
    """Each row gets the flags of the one before, the first row none."""
    return torch.cat([torch.zeros_like(flags[:1]), flags[:-1]])


mistake = edits_of(written_out, shifted_back=shifted_back, shifted_on=shifted_on)
OF_NEXT_ROW = "torch.cat([potentials[1:], next_potentials[-1:]])"

EXERCISE = Exercise.listed(
    "shaped_rewards",
    cases=cases,
    observe=Call(SIGNATURE, axis=1),
    reference=shaped_rewards,
    show_case=lambda case: f"shaped_rewards({', '.join(f'{name}={value(case[name])}' for name in (*NAMES, 'gamma'))})",
    hints=(
        "The payments of one episode should cancel to something that no action can change. Write the discounted sum for three "
        "steps, and see which two terms meet. What is left of it at the end, where the episode terminated?",
        "Each step pays gamma times the potential that it leads to, minus the potential that it comes from. Only the first of "
        "the two is 0 where the episode terminated; the step's own reward and the potential it comes from always count.",
        "return rewards + gamma * next_potentials * ~terminated - potentials",
    ),
    misconceptions=(
        mistake(
            "terminal-potential-kept",
            "You kept the potential of the state in which an episode terminated. No later step charges for it, so it is a gift "
            "that depends on where the episode ends, and the best policy may change. It counts 0 there.",
            {" * ~terminated": ""},
        ),
        mistake(
            "cut-where-nothing-terminated",
            "You dropped the next potential although terminated is False: at the rollout's last row, or where the next row "
            "belongs to another episode. A time limit or the end of collecting stops our watching; the state has a future.",
            {"* ~terminated": "* ~terminated * (torch.arange(len(rewards)) < len(rewards) - 1)[:, None]"},
            {"* ~terminated": f"* (next_potentials == {OF_NEXT_ROW})"},
            {"* ~terminated": f"* ~terminated * (next_potentials == {OF_NEXT_ROW})"},
        ),
        mistake(
            "mask-inverted",
            "You kept the next potential where the episode terminated and dropped it everywhere else: invert your mask.",
            {"~terminated": "terminated"},
        ),
        mistake(
            "gamma-left-out",
            "You left gamma out. Then the discounted payments of a path no longer cancel: a step's own potential is charged "
            "with one factor gamma less than the step before paid for it.",
            {"gamma * after": "after"},
        ),
        mistake(
            "discount-in-the-wrong-place",
            "Your gamma multiplies more than the next potential, or another term. The reward and the potential that the step "
            "comes from are of now; only the state that it leads to is one step later.",
            {"gamma * after - potentials": "gamma * (after - potentials)"},
            {"gamma * after - potentials": "after - gamma * potentials"},
            {"rewards + gain": "gamma * rewards + gain"},
            {"rewards + gain": "rewards + gamma * gain"},
            {"rewards + gain": "rewards + gain * gamma ** torch.arange(len(rewards))[:, None]"},
        ),
        mistake(
            "sign-of-the-gain",
            "You pay for losing potential and charge for gaining it. Rewards go up where the potential rises: the potential "
            "that the step leads to comes with a plus, the one that it comes from with a minus.",
            {"rewards + gain": "rewards - gain"},
        ),
        mistake(
            "potential-itself-paid",
            "You pay for the potential itself, not for its change. Whoever stays in a good state is paid there for ever, and a "
            "loop through it earns: the case that the difference is meant to rule out.",
            {"gamma * after - potentials": "potentials"},
            {"gamma * after - potentials": "after"},
            {"gamma * after - potentials": "gamma * after"},
            {"gamma * after - potentials": "gamma * next_potentials"},
            {"gamma * after - potentials": "next_potentials"},
        ),
        mistake(
            "only-gains-paid",
            "You pay for gains and do not charge for losses. Going to and fro then earns at every second step: it is the "
            "charge for the way back that makes a loop worth nothing.",
            {"rewards + gain": "rewards + gain.clamp(min=0)"},
            {"rewards + gain": "rewards + gain.abs()"},
        ),
        mistake(
            "step-masked",
            "Your mask removes more than the next potential: the last reward of an episode too, or the potential that the last "
            "step comes from. Both belong to a state in which the agent really was. Mind the brackets.",
            {"rewards + gain": "rewards + gain * ~terminated"},
            {"rewards + gain": "(rewards + gain) * ~terminated"},
            {"rewards + gain": "rewards * ~terminated + gain"},
        ),
        mistake(
            "potential-of-another-row",
            "You took the next potential from another row. potentials[t + 1] is the same number inside an episode only: after an "
            "end it is of another episode's start, after the last row there is none. next_potentials[t] is of the true state.",
            {"next_potentials * ~": f"{OF_NEXT_ROW} * ~"},
            {"next_potentials * ~": "potentials.roll(-1, 0) * ~"},
            {"next_potentials * ~": "torch.cat([potentials[1:], potentials[-1:]]) * ~"},
            {"next_potentials * ~": "torch.cat([potentials[1:], 0 * potentials[-1:]]) * ~"},
            {"next_potentials * ~": "torch.cat([next_potentials[1:], next_potentials[-1:]]) * ~"},
            {"next_potentials * ~terminated": OF_NEXT_ROW},
            {"next_potentials * ~terminated": "torch.cat([potentials[1:], 0 * potentials[-1:]])"},
        ),
        mistake(
            "gain-of-the-step-before",
            "Your gain is of the step before: you compare each potential with that of the row above. Step t is paid for where it "
            "leads, so its two potentials are potentials[t] and next_potentials[t].",
            {"gamma * after - potentials": "gamma * potentials - torch.cat([potentials[:1], potentials[:-1]])"},
            {"gamma * after - potentials": "gamma * potentials - torch.cat([0 * potentials[:1], potentials[:-1]])"},
        ),
        mistake(
            "flag-of-another-step",
            "You looked at the flag of another step. terminated[t] decides over the potential that step t itself leads to.",
            {"~terminated": "~shifted_back(terminated)"},
            {"~terminated": "~shifted_on(terminated)"},
            {"~terminated": "~terminated.roll(1, 0)"},
        ),
        mistake(
            "all-environments-end-together",
            "Where one environment terminated you dropped the next potential of all. Each column has flags of its own.",
            {"~terminated": "~terminated.any(1, keepdim=True)"},
        ),
        mistake(
            "reward-left-out",
            "You returned the gain alone. It is added to the reward, which still says what was meant.",
            {"rewards + gain": "gain"},
        ),
    ),
)
