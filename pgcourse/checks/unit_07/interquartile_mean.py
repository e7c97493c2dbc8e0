"""interquartile_mean(x): the mean of the middle half of the runs."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.observe.statistics import Number
from pgcourse.statistics import interquartile_mean


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The fifth has equal numbers on both sides of a cut, as runs that reach 500 have."""
    yield {"x": torch.tensor([1.0, 100.0, 0.0, 3.0])}
    yield {"x": torch.tensor([9.0, 1.0, 2.0, 3.0, 100.0, 5.0, 7.0, 0.0])}
    yield {"x": torch.tensor([-200.0, -150.0, -1400.0, -170.0])}
    yield {"x": torch.tensor([500.0, 500.0, 500.0, 500.0])}
    yield {"x": torch.tensor([500.0, 200.0, 500.0, 500.0, 350.0, 500.0, 100.0, 500.0])}
    source = generator(seed)
    yield {"x": normal(source, 12).exp() * 50}
    yield {"x": normal(source, 20, dtype=torch.float64).exp() * 3 - 4}
    reached = 4 + int(integers(source, 5))
    results = torch.cat([torch.full((reached,), 500.0), 10.0 * integers(source, 50, 12 - reached)])
    yield {"x": results[torch.randperm(12, generator=source)]}


def written_out(x):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    ordered = x.sort().values
    cut = len(ordered) // 4
    kept = ordered[cut : len(ordered) - cut]
    return kept.mean()


KEPT = "ordered[cut : len(ordered) - cut]"
mistake = edits_of(written_out)

EXERCISE = Exercise.listed(
    "interquartile_mean",
    cases=cases,
    observe=Number("x"),
    reference=interquartile_mean,
    hints=(
        "Write the first case in order: 0, 1, 3, 100. A quarter of four is one number. Which two remain, and what is their mean?",
        "Sort, then take the places from len(x) // 4 up to 3 * len(x) // 4 with a slice, then the mean. torch.sort gives "
        "values and indices; you need the values.",
        "quarter = len(x) // 4; return x.sort().values[quarter : len(x) - quarter].mean()",
    ),
    misconceptions=(
        mistake(
            "not-sorted",
            "You cut in the order in which the runs came. The lowest and the highest quarter must go, so sort first.",
            {"x.sort().values": "x"},
        ),
        mistake(
            "median",
            "You took the median. It looks at one or two runs only, and so moves more by chance. Average the middle half.",
            *({"kept.mean()": median} for median in ("x.quantile(0.5)", "x.median()")),
        ),
        mistake(
            "another-share-left-out",
            "You left out another share than a quarter on each side: a quarter on one side only, an eighth, the best and the "
            "worst run alone, or nothing. The middle half remains when a quarter goes below and a quarter above.",
            {"// 4": "// 8"},
            *({KEPT: f"ordered[{places}]"} for places in ("cut:", ":-cut", "1:-1", ":")),
        ),
        mistake(
            "one-too-many",
            "Your cut is one place off: the slice holds one number more or less than half of them, or begins one too late. A "
            "slice's end is not part of it; with 4 numbers, the second and third remain.",
            *({"- cut]": f"- cut {end}]"} for end in ("+ 1", "- 1")),
            *({"[cut :": f"[cut {start} :"} for start in ("+ 1", "- 1")),
            {"[cut : len": "[cut + 1 : 1 + len"},
        ),
        mistake(
            "quartiles-alone",
            "You took the two quartiles alone: their middle, or their distance, which is the interquartile range. Only two "
            "numbers count then; average everything that lies between them.",
            {"kept.mean()": "(x.quantile(0.25) + x.quantile(0.75)) / 2"},
            {"kept.mean()": "(kept[0] + kept[-1]) / 2"},
            {"kept.mean()": "x.quantile(0.75) - x.quantile(0.25)"},
            {"kept.mean()": "kept[-1] - kept[0]"},
        ),
        mistake(
            "kept-by-value",
            "You chose by value which runs stay: those between the two quartiles, or those nearest to the mean. Equal results "
            "(500, say) then stay or go together, or one side loses more than the other. Cut by place in the sorted order.",
            {KEPT: "x[(x >= x.quantile(0.25)) & (x <= x.quantile(0.75))]"},
            {KEPT: "x[(x > x.quantile(0.25)) & (x < x.quantile(0.75))]"},
            {KEPT: "x[(x - x.mean()).abs().argsort()[: len(x) // 2]]"},
        ),
        mistake(
            "equal-results-counted-once",
            "You counted equal results once, as unique and set do. Five runs that all reach 500 are five results.",
            {"x.sort().values": "x.unique()"},
        ),
        mistake(
            "clamped",
            "You replaced the outer quarters by the quartiles, a winsorised mean. Leave them out and average the others.",
            {"kept.mean()": "x.clamp(kept[0], kept[-1]).mean()"},
            {"kept.mean()": "x.clamp(x.quantile(0.25), x.quantile(0.75)).mean()"},
        ),
    ),
)
