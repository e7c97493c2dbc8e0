"""RunningMeanStd(shape): mean and variance of everything seen so far, a batch at a time."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal, rewritten
from pgcourse.checks.observe.running import RunningStatistics
from pgcourse.checks.wording import value


class RunningMeanStd:
    """Mean and population variance, per component, of all rows seen so far. Source: Chan et al. (1979)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count, self.mean, self.var = 0, torch.zeros(shape), torch.ones(shape)

    def update(self, x: Tensor) -> None:
        rows, mean, var = len(x), x.mean(dim=0), x.var(dim=0, correction=0)
        share = rows / (self.count + rows)  # of the new rows among all
        shift = mean - self.mean
        between = share * (1 - share) * shift.square()  # what the distance of the two means adds
        self.var = (1 - share) * self.var + share * var + between
        self.mean = self.mean + share * shift
        self.count += rows

    def normalize(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""

    def case(data: Tensor, splits: tuple[int, ...], probe: Tensor) -> Case:
        shape = tuple(data.shape[1:])
        # Far out, so that a clip shows; before any update normalize must leave it alone.
        first_probe = torch.full((1, *shape), 40.0, dtype=data.dtype)
        return {"shape": shape, "x": data, "splits": splits, "first_probe": first_probe, "probe": probe}

    yield case(torch.tensor([1.0, 3.0, 5.0, 9.0]), (1, 3), torch.tensor([4.5]))
    rows = torch.tensor([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0], [7.0, -20.0], [4.0, 10.0]])
    yield case(rows, (2, 2, 1), torch.tensor([[4.0, 100.0], [100.0, 10.0]]))
    yield case(rows, (5,), torch.tensor([[4.0, 100.0], [100.0, 10.0]]))
    # The second component never varies; its own value is normalised to 0 whatever keeps the division finite.
    yield case(torch.tensor([[1.0, 5.0], [3.0, 5.0], [8.0, 5.0]]), (2, 1), torch.tensor([[2.0, 5.0]]))
    # A standard deviation of 0.01: 1e-8 shows neither beside it nor beside the variance, the 1e-5 of batch normalisation does.
    yield case(torch.tensor([0.01, 0.04, 0.02, 0.03]), (1, 3), torch.tensor([0.05]))
    source = generator(seed)
    yield case(normal(source, 24, 2, 3) * 3 + 2, (7, 1, 12, 4), normal(source, 5, 2, 3) * 200)
    # Far from 0: the mean of squares minus the square of the mean loses its digits in float32. The probe is 10 standard
    # deviations away, so that the rounding of a right mean does not count.
    yield case(normal(source, 40, 3) + 300, (16, 8, 16), torch.tensor([[290.0, 310.0, 310.0]]))
    yield case(normal(source, 70, 2, dtype=torch.float64), (1,) * 70, normal(source, 3, 2, dtype=torch.float64))
    # A component that never varies, and one of deviation 0.002.
    data = torch.tensor([[5.0, 1.0], [5.0, 4.0], [5.0, 2.0]])
    data *= torch.tensor([2.0 ** int(integers(source, 5)), 0.0015 + 0.0005 * float(torch.rand(1, generator=source))])
    yield case(data, (2, 1), torch.stack([data[0, 0], torch.tensor(0.05)])[None])


def show_case(case: Case) -> str:
    """The calls that are made on one object."""
    sizes = " + ".join(str(size) for size in case["splits"])
    updates = "1 update" if len(case["splits"]) == 1 else f"{len(case['splits'])} updates"
    rows = f"{updates} with {sizes} rows of {value(case['x'])}"
    return f"statistics = RunningMeanStd({case['shape']}); {rows}; statistics.normalize({value(case['probe'])})"


mistake = edits_of(RunningMeanStd)
MERGED = "self.mean = self.mean + share * shift"
# The right mean, kept for the variance, beside another one in self.mean.
KEPT = {
    "mean - self.mean": "mean - getattr(self, 'right', 0)",
    MERGED: "self.right = getattr(self, 'right', 0) + share * shift",
}
# Means of batches, each batch as good as what was before it, or as every other batch.
ALIKE = (
    "self.mean = (self.mean + mean) / 2 if self.count else mean",
    "self.batches = getattr(self, 'batches', 0) + 1; self.mean = self.mean + (mean - self.mean) / self.batches",
)


def each_start(*edits: dict[str, str]) -> list[dict[str, str]]:
    """Edits of the merging: once of every batch's, once of all but the first, which is taken as it is."""
    first = "if not self.count:\n            self.count, self.mean, self.var = rows, mean, var\n            return\n        "
    return [each | start for each in edits for start in ({}, {"shift = mean": first + "shift = mean"})]


def at_each_place(*edits: dict[str, str]) -> list[dict[str, str]]:
    """Edits, once with the tiny number beside the variance and once beside its root: where the variance is 0 it shows."""
    return [each | place for each in edits for place in ({}, {"(self.var + 1e-8).sqrt()": "(self.var.sqrt() + 1e-8)"})]


EXERCISE = Exercise.listed(
    "RunningMeanStd",
    cases=cases,
    observe=RunningStatistics(),
    show_case=show_case,
    reference=RunningMeanStd,
    also_correct=(rewritten(RunningMeanStd, {"(self.var + 1e-8).sqrt()": "(self.var.sqrt() + 1e-8)"}),),
    hints=(
        "Take [1] and [3, 5, 9] on paper. The mean of all four is not the mean of the two means: how must the batches be "
        "weighted? And why is the variance of all four larger than both batches' variances?",
        "Keep count, mean and var. With share = len(x) / (count + len(x)) and shift = x.mean(0) - mean, the new mean is "
        "mean + share * shift. The new variance is both variances weighted by their shares, plus share * (1 - share) * "
        "shift^2 for the distance between the two means. Start with count 0.",
        "update: var = (1 - share) * var + share * x.var(0, correction=0) + share * (1 - share) * shift**2; then mean = mean "
        "+ share * shift; then the count. normalize: (x - mean) / (var + 1e-8).sqrt(), with mean 0 and var 1 at the start.",
    ),
    misconceptions=(
        mistake(
            "every-batch-alike",
            "You averaged over batches, so a batch of 1 row counts as much as one of 12. Every row must count alike: weight a "
            "batch by its number of rows.",
            {"len(x)": "1"},
            *at_each_place({"len(x)": "1", "+ between": ""}),
            *(
                {**KEPT, MERGED: f"{KEPT[MERGED]}\n        {alike}"} for alike in ALIKE
            ),  # the mean alone, beside a right variance
            *each_start(*({MERGED: alike} for alike in ALIKE)),
        ),
        mistake(
            "distance-of-the-means",
            "Your mean is right, but what the means' distance adds to the variance is missing or wrong: two narrow batches "
            "far apart are wide together. It is share * (1 - share) times the squared distance from the old mean, with share the "
            "batch's part of all rows so far.",
            *at_each_place({"+ between": ""}),
            *at_each_place(*each_start({"(1 - share) * self.var + share * var + between": "(self.var + var) / 2"})),
            *each_start(
                {"share * (1 - share) * shift": "shift"},
                {"share * (1 - share) * shift": "share * shift"},
                {"share * (1 - share) * shift": "(1 - share) * shift"},
                {"shift.square()": "((1 - share) * shift).square()"},  # from the new mean
            ),
        ),
        mistake(
            "rows-miscounted",
            "Your count is not that of all rows seen before the batch when you weight with it: it already holds the new rows, "
            "or only those of the last batch. Weight first, with the old count, and then add the new rows to it.",
            *each_start({"(self.count + rows)": "(self.count + 2 * rows)"}, {"count += rows": "count = rows"}),
        ),
        mistake(
            "moving-average",
            "You took an exponential moving average, as batch normalisation does, which forgets; or you weighted batches alike. "
            "Every row counts alike: weigh what was kept and what is new by their rows.",
            *at_each_place(
                *each_start(
                    *({"rows / (self.count + rows)": share, "+ between": ""} for share in ("0.1", "0.01", "0.5"))
                )
            ),
            *each_start({"rows / (self.count + rows)": "0.5"}),
        ),
        mistake(
            "last-batch-alone",
            "Your mean and variance are those of the last batch: each update begins anew. What was seen before counts as well, "
            "row for row, so keep how many rows there were and merge the batch with them.",
            *at_each_place({"rows / (self.count + rows)": "1"}),
        ),
        mistake(
            "divided-by-n-minus-1",
            "You used the sample variance, divided by n - 1; with a single row that is 0 / 0. Asked for is the population "
            "variance, divided by n: torch's var needs correction=0 for it.",
            *each_start({", correction=0": ""}),
            *(
                {
                    "= (1 - share) * self.var +": "= self.over_n = (1 - share) * getattr(self, 'over_n', 0) +",
                    "count += rows": f"count += rows\n        self.var = self.over_n * self.count / {divisor}",
                }
                for divisor in ("(self.count - 1)", "max(self.count - 1, 1)")
            ),
        ),
        mistake(
            "squares-minus-square",
            "You subtract the square of the mean from the mean of squares. For data around 300 both are near 90,000, and "
            "float32 has 7 digits: the difference is mostly rounding. Merge variances instead, or sum in double precision.",
            {
                "rows, mean": "x = x.float()\n        rows, mean",
                "self.mean = self.mean + share * shift": "self.sums = getattr(self, 'sums', 0) + torch.stack([x, x**2]).sum(1)",
                "count += rows": "count += rows\n        self.mean, squares = self.sums / self.count\n"
                "        self.var = squares - self.mean**2",
            },
        ),
        mistake(
            "made-up-rows",
            "You start with a count above 0, so your first mean (0) and variance (1) count as data that nobody saw. Around "
            "300 they spoil the variance. Start with count 0: the first batch then replaces both.",
            *({"0, torch": f"{count}, torch"} for count in (1e-4, 1, 1e-3, 1e-2)),
        ),
        mistake(
            "one-number-for-all",
            "You averaged over more than the first axis, so different components share one mean and one variance. An angle "
            "and an angular velocity have different scales, which is why one normalises: average over the rows alone.",
            {"mean(dim=0)": "mean()", "var(dim=0, correction": "var(correction"},
            {"mean(dim=0)": "mean(tuple(range(x.ndim - 1)))", "var(dim=0": "var(tuple(range(x.ndim - 1))"},
        ),
        mistake(
            "not-centred-or-divided-by-the-variance",
            "Mean and variance are right, but normalize does not subtract the mean, or divides by the variance. The standard "
            "deviation, its square root, has the unit of x: afterwards the mean must be 0 and the spread 1.",
            {".sqrt()": ""},
            {"(x - self.mean)": "x"},
        ),
        mistake(
            "own-batch",
            "normalize uses the mean and variance of the batch that it is given. The same observation would then look "
            "different in other company. Use what was kept from the updates.",
            *(
                {"return (": f"if {when}: return (x - x.mean(0)) / (x.std(0, correction=0) + 1e-8)\n        return ("}
                for when in ("True", "self.count", "self.count and len(x) > 1")
            ),
        ),
        mistake(
            "normalize-learns",
            "normalize changes the statistics. While the policy is evaluated, or trained on stored data for several epochs, "
            "they must stand still; only update moves them.",
            {"return (": "self.update(x)\n        return ("},
            {"return (": "result = (", "to(x.dtype)": "to(x.dtype)\n        self.update(x)\n        return result"},
        ),
        mistake(
            "variance-0-at-the-start",
            "Before any update normalize must return x as it is. Yours divides by a standard deviation of nearly 0: start "
            "with a mean of 0 and a variance of 1.",
            {"torch.ones": "torch.zeros"},
            {"torch.ones": "torch.zeros", "(self.var + 1e-8).sqrt()": "(self.var.sqrt() + 1e-8)"},
        ),
        mistake(
            "tiny-number-missing-or-large",
            "A component that never varies has variance 0, and 0 / 0 is NaN. Add a tiny number to the variance, and not a "
            "larger one: for a sensor that varies by 0.005, 1e-5 is nearly half of it. Add 1e-8.",
            {"+ 1e-8": ""},
            {"1e-8": "1e-5"},
        ),
        mistake(
            "clipped",
            "You clip what normalize returns. Many libraries do, as a step of its own; this function normalises, and before "
            "any update it returns x whatever it is.",
            *({"to(x.dtype)": f"to(x.dtype).clamp(-{limit}, {limit})"} for limit in (5, 10)),
        ),
        mistake(
            "update-returns-something",
            "Your numbers are right, but update returns something, such as the object itself. It is called for what it "
            "changes, and the task says that it returns nothing.",
            {"count += rows": "count += rows\n        return self"},
        ),
    ),
)
