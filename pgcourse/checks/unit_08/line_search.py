"""line_search(evaluate, step, *, max_kl, backtracks, shrink): the longest of some steps that keeps the promise."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.observe.natural_gradient import Search
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import line_search

NAN = float("nan")


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: what is tried first, what is refused and why, and what is left where nothing will do."""
    for halvings, max_kl, backtracks in _BY_HAND:
        yield _case(torch.tensor([4.0, -8.0]), halvings, max_kl=max_kl, backtracks=backtracks, shrink=0.5)
    source = generator(seed)
    for shrink, dtype in ((0.8, torch.float32), (0.7, torch.float64)):
        # The divergence grows with the square of the length; which step is the first within the limit is drawn.
        lengths = [shrink**power for power in range(14)]
        right = lengths[1 + int(integers(source, 10))]
        rows = [(0.4 - 0.2 * length, 0.01 * (length / right) ** 2) for length in lengths]
        yield _case(normal(source, 5, dtype=dtype), rows, max_kl=0.0101, backtracks=12, shrink=shrink)
    # The improvement turns positive only for short steps, and ever shorter ones gain less again.
    lengths = [0.6**power for power in range(14)]
    longest = 1.3 * lengths[5 + int(integers(source, 6))]
    rows = [(length * (longest - length), 0.001 * length) for length in lengths]
    yield _case(normal(source, 3), rows, max_kl=0.01, backtracks=12, shrink=0.6)
    # Four to six that nearly qualify, in any order; then one exactly at the limit, and shorter ones that would do as well.
    limit = 0.01 + 0.01 * float(torch.rand(1, generator=source))
    nearly = [(NAN, 0.5 * limit), (0.2, NAN), (0.0, 0.9 * limit), (0.3, (1 + 1e-5) * limit)]
    places = [*torch.randperm(4, generator=source), *integers(source, 4, int(integers(source, 3)))]
    many, more = len(places), 1 + int(integers(source, 4))
    shorter = [(0.1 * 0.5**power, limit * 0.2**power) for power in range(more + 2)]
    rows = [*(nearly[place] for place in places), *shorter]
    yield _case(normal(source, 4), rows, max_kl=limit, backtracks=many + 1 + more, shrink=0.5)
    yield _case(normal(source, 4), rows, max_kl=limit, backtracks=many + 1, shrink=0.5)  # the last that may be tried
    yield _case(normal(source, 4), rows, max_kl=limit, backtracks=many, shrink=0.5)  # none of those that may be tried
    yield _case(normal(source, 4), [(0.3, 0.9 * limit), (0.4, 0.1 * limit)], max_kl=limit, backtracks=2, shrink=0.5)


# (improvement, divergence) of the full step, its half, its quarter, ...; the limit; how many are tried.
_BY_HAND: tuple[tuple[list[tuple[float, float]], float, int], ...] = (
    ([(0.3, 0.02), (0.2, 0.005), (0.1, 0.001)], 0.01, 3),  # too far at first
    ([(0.3, 0.03), (0.4, 0.002), (0.1, 0.001)], 0.05, 3),  # the full step will do
    ([(-0.2, 0.009), (0.1, 0.004), (0.05, 0.001)], 0.01, 3),  # worse at first
    ([(0.3, 0.0101), (0.2, 0.01), (0.1, 0.002)], 0.01, 3),  # just beyond the limit, then exactly at it
    ([(0.0, 0.009), (0.001, 0.004), (0.05, 0.001)], 0.01, 3),  # nothing gained at first, then a little
    ([(0.3, 0.16), (0.2, 0.04), (0.1, 0.01), (0.05, 0.0025)], 0.012, 3),  # the last that may be tried
    ([(0.3, 0.16), (0.2, 0.08), (0.1, 0.04), (0.05, 0.002)], 0.01, 3),  # none of those that may be tried
    ([(0.3, 0.008), (0.4, 0.002)], 0.01, 1),  # a single try, which will do
    ([(0.3, 0.02), (0.4, 0.002)], 0.01, 1),  # a single try, which will not
    ([(NAN, 0.004), (0.2, NAN), (0.1, 0.003), (0.05, 0.001)], 0.01, 4),  # what is not a number never qualifies
)


def _case(step: Tensor, rows: list[tuple[float, float]], *, max_kl: float, backtracks: int, shrink: float) -> Case:
    """A table from the outcomes of step, step * shrink, ... A step of no length brings nothing, a longer one looks fine."""
    outcomes = [(shrink**power, *row) for power, row in enumerate(rows)]
    table = [(0.0, 0.0, 0.0), *reversed(outcomes), (1 / shrink, 0.5, 0.5 * max_kl)]
    lengths, improvements, kls = (list(column) for column in zip(*table, strict=True))
    found = {"lengths": lengths, "improvements": improvements, "kls": kls}
    return {"step": step, "max_kl": max_kl, "backtracks": backtracks, "shrink": shrink, **found}


def _show(case: Case) -> str:
    settings = ", ".join(f"{name}={number(case[name])}" for name in ("max_kl", "backtracks", "shrink"))
    outcomes = [f"({number(gain)}, {number(kl)})" for gain, kl in zip(case["improvements"], case["kls"], strict=True)]
    listed = ", ".join(outcomes[-2:0:-1][:5])  # from the full step down
    return (
        f"line_search(evaluate, step={value(case['step'])}, {settings}), where evaluate gives {listed}, ... for the full "
        "step, the first shrunk one, and so on"
    )


def written_out(evaluate, step, *, max_kl, backtracks, shrink):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    for power in range(backtracks):
        candidate = step * shrink**power
        gain, kl = evaluate(candidate)
        if gain > 0 and kl <= max_kl:
            return candidate
    return torch.zeros_like(step)


def most_improvement(evaluate, step, *, max_kl, backtracks, shrink):  # type: ignore[no-untyped-def]
    """Of all steps that would do, the one with the most improvement."""
    most, best = 0.0, torch.zeros_like(step)
    for power in range(backtracks):
        gain, kl = evaluate(step * shrink**power)
        if gain > most and kl <= max_kl:
            most, best = gain, step * shrink**power
    return best


mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "line_search",
    cases=cases,
    observe=Search(),
    show_case=_show,
    reference=line_search,
    guesses=(lambda _, step, *, backtracks, shrink, **__: step * shrink ** (backtracks - 1),),
    hints=(
        "Try the full step first. What do you do when it fails, how often may you do that, and what do you return when "
        "nothing helps?",
        "Loop over k = 0, 1, ..., backtracks - 1. The candidate is step * shrink**k; evaluate(candidate) gives improvement "
        "and divergence. Return the first candidate that meets both conditions, and zeros after the loop.",
        "for k in range(backtracks): candidate = step * shrink**k; improvement, kl = evaluate(candidate); if improvement > 0 "
        "and kl <= max_kl: return candidate. After the loop: return torch.zeros_like(step)",
    ),
    misconceptions=(
        mistake(
            "divergence-not-checked",
            "You accept every step that improves the surrogate, even beyond the trust region: both conditions must hold.",
            {" and kl <= max_kl": ""},
        ),
        mistake(
            "improvement-not-checked",
            "You accept every step within the limit, even one that makes the surrogate worse: both conditions must hold.",
            {"gain > 0 and ": ""},
        ),
        mistake(
            "either-will-do",
            "You joined the conditions with `or`. A step must improve the surrogate and stay within the limit.",
            {" and ": " or "},
        ),
        mistake(
            "no-improvement-accepted",
            "You accept a step with an improvement of exactly 0. It changes the policy and gains nothing: ask for more than 0.",
            {"gain > 0": "gain >= 0"},
        ),
        mistake(
            "limit-itself-refused",
            "You refuse a step whose divergence is exactly max_kl. The limit is allowed: the condition is <=.",
            {"<=": "<"},
        ),
        mistake(
            "limit-widened",
            "You accept a step beyond max_kl, 1.5 times as far in some well-known programs. The contract has no margin.",
            {"<=": "<= 1.5 *"},
        ),
        mistake(
            "nan-accepted",
            "You accept a step whose improvement or divergence is NaN. Every comparison with NaN is false, so a test for what "
            "is bad lets it through. Test for what is good: improvement > 0 and kl <= max_kl.",
            {"gain > 0 and kl <= max_kl": "not (gain <= 0 or kl > max_kl)"},
            {"kl <= max_kl": "not kl > max_kl"},
            {"gain > 0": "not gain <= 0"},
        ),
        mistake(
            "full-step-not-tried",
            "You began with the first shrunk step. The full step comes first (shrink to the power 0), and mostly it will do.",
            {"range(backtracks)": "range(1, backtracks)"},
            {"range(backtracks)": "range(1, backtracks + 1)"},
        ),
        mistake(
            "one-try-off",
            "You tried one step more than `backtracks`, or one less. With 3, the full step and two shrunk ones are tried.",
            {"range(backtracks)": "range(backtracks + 1)"},
            {"range(backtracks)": "range(backtracks - 1)"},
        ),
        mistake(
            "shrunk-evenly",
            "Your steps get shorter by the same amount each time. Each is shrink times the one before: step * shrink**k.",
            {"shrink**power": "(1 - power * (1 - shrink))"},
            {"shrink**power": "(shrink * power if power else 1)"},
            {"shrink**power": "1 / (1 + power)"},
        ),
        mistake(
            "shrunk-twice",
            "You shrink the last candidate by a growing power: 1, s, s^3, s^6. Multiply the full step by shrink**k instead.",
            {"candidate = step": "candidate = step = step"},
        ),
        mistake(
            "most-improvement",
            "You took the step with the most improvement. The contract is the first that qualifies, which is the longest one.",
            most_improvement,
        ),
        mistake(
            "failed-step-returned",
            "Where no step qualifies you returned one all the same: return zeros, so that the policy stays where it is.",
            {"torch.zeros_like(step)": "candidate"},
            {"torch.zeros_like(step)": "step"},
        ),
    ),
)
