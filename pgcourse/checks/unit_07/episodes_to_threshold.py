"""episodes_to_threshold(episodic_returns, *, threshold, window): when was a task learnt for the first time?"""

from collections.abc import Iterator
from functools import reduce

import torch

from pgcourse.checks.authoring import Arrays, Case, Exercise, edits_of, generator, integers
from pgcourse.checks.compare import CORRECT, Verdict, left_behind
from pgcourse.checks.observe import KEPT, OPPOSITE
from pgcourse.checks.observe.statistics import Number
from pgcourse.checks.wording import number, with_article
from pgcourse.statistics import episodes_to_threshold


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Only windows of 1, 2 and 4 meet a threshold exactly: their means have no rounding error."""
    for returns, threshold, window in (
        ([1.0, 5.0, 6.0, 7.0], 5.0, 2),
        ([2.0, 1.0, 5.0, 0.0], 3.0, 2),  # exactly, then never again
        ([4.0, 5.0, 4.0], 4.75, 2),  # never
        ([4.0, 4.0], 2.0, 3),  # too short
        ([], -1.0, 1),
        ([4.0, 5.0], 4.5, 2),  # with the only window
        ([9.0, 1.0, 2.0, 7.0, 8.0], 7.0, 2),  # a lucky start, then with the last episode
        ([-5.0, -1.0, -3.0, -1.0], -2.0, 2),
        ([7.0, 8.0, 1.0, 9.0, 9.0, 9.0], 4.0, 4),  # with the first window
        ([3.0, 6.0, 4.0], 6.0, 1),
        ([1.0, 5.0, 6.0, 1.0, 0.0, 1.0, 1.0], 5.0, 2),  # early, then lost for good
        ([-1e6, 0.01, 0.01, 0.01], 0.005, 2),  # small returns after a disaster
        ([1.0, 2.996, 5.0], 2.998, 1),  # nearly reached
    ):
        yield {"episodic_returns": torch.tensor(returns), "threshold": threshold, "window": window}
    source = generator(seed)
    rising = torch.arange(120) + integers(source, 25, 120)
    yield {"episodic_returns": rising.float(), "threshold": 66.37, "window": 70}
    hill = 120 - (torch.arange(120) - 60).abs() + integers(source, 9, 120)
    yield {"episodic_returns": hill.double() - 150, "threshold": -48.37, "window": 60}
    # A lucky start, then ever more: exactly at the threshold with one of the windows, then with the first one, then never.
    rising, lucky = _lucky(source)
    place = int(integers(source, len(rising) - 3))
    yield {"episodic_returns": lucky, "threshold": float(rising[place : place + 4].mean()), "window": 4}
    yield {"episodic_returns": rising, "threshold": float(rising[:4].mean()), "window": 4}
    others, never = _lucky(source)
    yield {"episodic_returns": never, "threshold": float(others[-4:].mean()) + 0.5, "window": 4}
    yield {"episodic_returns": rising, "threshold": float(rising[0]) - 1, "window": len(rising) + 1}
    close = (
        rising + 1 / 128
    )  # a mean of two that is rounded, to thousandths too, or compared by isclose, reaches what it does not
    yield {"episodic_returns": close, "threshold": float(close[1:3].mean()) + 1e-4, "window": 2}


def _lucky(source: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns that rise, and the same behind a lucky start and four that are bad."""
    rising = (1 + integers(source, 9, 4 + int(integers(source, 9)))).cumsum(0).float()
    return rising, torch.cat([rising[-1:] + 9, -30 - rising[:4], rising])


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Compare with the reference. None is an answer like any other here; the kind says what was returned."""
    expected = _expected(case, 1)
    kind = str(arrays["result.kind"])
    if kind not in ("number", "NoneType"):
        text = f"Your result is {with_article(kind)}, expected a number of episodes or None."
        return Verdict(False, f"returns {kind}", text, f"Expected {_shown(expected)}.")
    got = _number_of(arrays, "result")
    if arrays["mutated"].size:
        return Verdict(False, "mutated", "Your function changed its input episodic_returns in place.")
    if text := left_behind(arrays):
        return Verdict(False, "left behind", text)
    if got != expected:
        where = f"Got {_shown(got)}, expected {_shown(expected)}."
        return Verdict(False, f"returns {_shown(got)}", "", where, "result")
    later, wanted = _number_of(arrays, OPPOSITE), _expected(case, -1)
    if later != wanted and later == got:
        text = "Called again with other numbers in the same tensor, your function gives the result of before."
        return Verdict(False, "kept", text, f"Got {_shown(later)}, expected {_shown(wanted)}.", OPPOSITE)
    if later != wanted:
        text = "Your result for the same numbers with the opposite sign differs."
        where = f"Got {_shown(later)}, expected {_shown(wanted)}."
        return Verdict(False, f"returns {_shown(later)} with the opposite sign", text, where, OPPOSITE)
    if _number_of(arrays, KEPT) != expected:
        text = "Your first result changed when your function was called again: each call must make a new one."
        return Verdict(False, "kept", text, "", KEPT)
    return CORRECT


def _expected(case: Case, sign: int) -> int | None:
    return episodes_to_threshold(sign * case["episodic_returns"], threshold=case["threshold"], window=case["window"])


def _number_of(arrays: Arrays, name: str) -> float | None:
    return float(arrays[name]) if name in arrays else None


def _shown(value: float | None) -> str:
    return "None" if value is None else number(value)


def written_out(episodic_returns, *, threshold, window):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    returns, means = episodic_returns.tolist(), {}
    episodes = len(returns)
    for end in range(window, episodes + 1):
        last = returns[end - window : end]
        means[end] = sum(last) / len(last)
    found = [end for end, mean in means.items() if mean >= threshold]
    return found[0] if found else None


mistake = edits_of(written_out, reduce=reduce)
NUMBERS = ("-1", "0", "episodes", "episodes + 1", "float('inf')", "-float('inf')", "float('nan')")
# Everywhere, or only with a full window, with any episode at all, or with fewer than a window.
WHERE = ("", " if episodes >= window else None", " if episodes else None", " if episodes < window else None")

EXERCISE = Exercise.listed(
    "episodes_to_threshold",
    cases=cases,
    observe=Number("episodic_returns, *, threshold, window"),
    judge=judge,
    reference=episodes_to_threshold,
    hints=(
        "Work the first case by hand. After 2 episodes the mean of the last two is 3, after 3 it is 5.5. How many episodes "
        "have been played when it first reaches 5?",
        "Loop over how many episodes have been played, from `window` to all of them. The last `window` of them are "
        "episodic_returns[played - window : played]. Return `played` at the first mean that reaches the threshold, and None "
        "after the loop.",
        "for played in range(window, len(episodic_returns) + 1): if episodic_returns[played - window : played].mean() >= "
        "threshold: return played. After the loop: return None",
    ),
    misconceptions=(
        mistake(
            "index-for-number",
            "You returned an index: of the last episode in the window, or where the window begins. Asked for is how many "
            "episodes have been played at its end, which is one more than the index of its last.",
            *({"return found[0]": f"return found[0] - {places}"} for places in ("1", "window", "window + 1")),
        ),
        mistake(
            "threshold-itself-refused",
            "You ask for a mean above the threshold. Reaching it is enough, >=: on CartPole nothing is above 500.",
            {">=": ">"},
        ),
        mistake(
            "single-episode",
            "You asked for the first single episode at the threshold, or for all of a window. One episode may be good or bad "
            "luck, which is why the mean of the last `window` episodes decides.",
            {"sum(last) / len(last)": "last[-1]", "range(window": "range(1", "end - window :": "end - 1 :"},
            {"sum(last) / len(last)": "last[-1]"},
            {"sum(last) / len(last)": "min(last)"},
        ),
        mistake(
            "mean-since-the-start",
            "You averaged all episodes since the start, alike or with fading weights. The bad ones from the beginning weigh for "
            "ever, and a late learner looks later than it is. Take the plain mean of the last `window`.",
            {"end - window :": ":", "range(window": "range(1"},
            {"end - window :": ":"},
            {"sum(last) / len(last)": "reduce(lambda mean, new: mean + (new - mean) / window, returns[:end])"},
        ),
        mistake(
            "short-windows-count",
            "Your first means are of fewer than `window` episodes, or of windows filled up with zeros, as convolutions (modes "
            "full and same) have. Then one lucky first episode does, or a 0 among negative returns. Only full windows count.",
            {"range(window": "range(1", "end - window :": "max(end - window, 0) :"},
            {"range(window": "range(1", "end - window :": "max(end - window, 0) :", "len(last)": "window"},
            {
                "range(window": "range(1 if episodes >= window else window",
                "end - window : end": "max(end - window // 2 - 1, 0) : end + (window - 1) // 2",
                "len(last)": "window",
            },
        ),
        mistake(
            "windows-side-by-side",
            "You cut the episodes into blocks that do not overlap. The window moves on by one episode at a time.",
            {"episodes + 1": "episodes + 1, window"},
        ),
        mistake(
            "first-or-last-window-missed",
            "You never look at the last window, or never accept the first: the loop ends too early or begins too late, or `if "
            "first:` takes the index 0 for nothing found. The first and the last full window count like any other.",
            {"episodes + 1": "episodes"},
            {"range(window": "range(window + 1"},
            {"if found": "if found and found[0] > window"},
        ),
        mistake(
            "last-instead-of-first",
            "You returned the last time, the best one, or that from which on the mean stays above. Asked for is the first.",
            {"return found[0]": "return found[-1]"},
            {"if mean >= threshold": "if min(list(means.values())[end - window :]) >= threshold"},
            {"return found[0]": "return max(means, key=means.get)"},
        ),
        mistake(
            "number-for-never",
            "Where the threshold is never reached you returned a number: -1, 0, infinity, the number of episodes; or `window`, "
            "since argmax of nothing but False is 0. An average over runs would take it for a result. Return None.",
            *({"else None": f"else {never}{where}"} for never in NUMBERS for where in WHERE),
            {"else None": "else window if episodes >= window else None"},
        ),
        mistake(
            "fewer-than-a-window",
            "With fewer episodes than `window` your code fails or makes up a window. Nothing is reached then: return None.",
            {"found = [": "episodic_returns.unfold(0, window, 1)\n    found = ["},
        ),
    ),
)
