"""The observers of unit 07 write down facts; wrong answers that nobody listed fail, right ones in odd styles pass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse.checks import get, run
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.statistics import Number, Resampling, as_number, kind_of
from pgcourse.checks.unit_07.bootstrap_interval import bootstrap_interval, ranges
from pgcourse.statistics import bootstrap_interval as of_the_package
from pgcourse.statistics import interquartile_mean

NUMBER = Number("x")
CASE = {
    "x": torch.tensor([1.0, 5.0, 2.0]), "statistic": "mean", "confidence": 0.8, "num_resamples": 40, "seed": 3,
    "repeat": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "number",
    [
        2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), torch.tensor(2.0), torch.tensor(2), Fraction(2),
        Decimal(2),
    ],
)  # fmt: skip
def test_a_number_of_any_kind_is_written_down_alike(number: Any) -> None:
    arrays = NUMBER(lambda x: number, {"x": torch.ones(2)})
    assert (str(arrays["result.kind"]), float(arrays["result"])) == ("number", 2.0)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "NoneType"), (True, "bool"), (np.bool_(True), "bool"), (torch.tensor(True), "Tensor"),
        (torch.ones(1), "tensor of shape [1]"), (np.ones((2, 1)), "numpy array of shape [2, 1]"), ("2", "str"), ([2], "list"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said_by_its_kind(value: Any, kind: str) -> None:
    assert as_number(value) is None
    assert kind_of(value) == kind


def test_an_input_changed_in_place_is_written_down() -> None:
    assert list(NUMBER(lambda x: float(x.add_(1).sum()), {"x": torch.ones(2)})["mutated"]) == ["x"]


def test_resampling_writes_down_what_the_statistic_saw() -> None:
    arrays = Resampling()(bootstrap_interval, CASE)
    assert len(arrays["values"]) == 40 and list(arrays["sizes"]) == [3] and not arrays["foreign"]
    assert arrays["repeated with the same seed"] and "low" in arrays
    halves = Resampling()(lambda x, **settings: (settings["statistic"](x[:2] + 0.5), 1.0), CASE)
    assert list(halves["sizes"]) == [2] and halves["foreign"] and halves["repeated with another seed"]
    assert arrays["moved"] and not halves["moved"] and "alike" not in arrays


def test_through_vmap_each_resample_is_seen() -> None:
    def at_once(x: Tensor, *, statistic: Any, num_resamples: int, generator: torch.Generator, **_: Any) -> Any:
        picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
        values = torch.vmap(statistic, in_dims=1, chunk_size=7)(x[picks].T)
        return values.min(), values.max()

    def one_by_one(x: Tensor, *, statistic: Any, num_resamples: int, generator: torch.Generator, **_: Any) -> Any:
        picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
        values = torch.stack([statistic(x[pick]) for pick in picks])
        return values.min(), values.max()

    case = CASE | {"x": torch.arange(12.0) ** 2}
    mapped, plain = (Resampling()(attempt, case) for attempt in (at_once, one_by_one))
    assert mapped.keys() == plain.keys() and len(mapped["values"]) == 40
    for name in ("values", "resamples", "sizes", "alike", "shared"):
        np.testing.assert_allclose(mapped[name], plain[name], rtol=1e-6)
    assert mapped["alike"] < 0.1 and mapped["shared"] < 0.1


def test_the_allowed_range_is_where_the_packages_own_interval_lies() -> None:
    """Twenty other seeds and another library's random numbers: each end within what the judge allows."""
    (case,) = [case for case in get("bootstrap_interval").cases(4) if case["repeat"]]
    low, high = ranges(case)
    for seed in range(20):
        ends = of_the_package(
            case["x"], statistic=np.mean, confidence=case["confidence"], num_resamples=case["num_resamples"],
            generator=np.random.default_rng(seed),
        )  # fmt: skip
        assert not low.side(ends[0]) and not high.side(ends[1])
    center = float(case["x"].mean())
    assert low.high < center < high.low  # an interval without width is refused


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_right_interval_passes_whatever_the_seed(seed: int) -> None:
    assert run("bootstrap_interval", bootstrap_interval, seed).status == "correct"


def _first(found: Iterator[Any]) -> Any:
    return next(found, None)


def _interval(of: Any) -> Any:
    """An attempt from a function of the resampled statistics and the settings."""

    def attempt(x: Tensor, *, statistic: Any, confidence: float, num_resamples: int, generator: torch.Generator) -> Any:
        picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)
        return of(torch.stack([statistic(x[pick]) for pick in picks]), confidence, x)

    return attempt


WRONG: dict[str, list[Any]] = {
    "interquartile_mean": [
        lambda x: x.sort().values[len(x) // 2 - 1 : len(x) // 2 + 1].mean(),
        lambda x: x.sort().values[1:-1].mean(),
        lambda x: x.sort().values[len(x) // 3 : len(x) - len(x) // 3].mean(),
        lambda x: x.abs().sort().values[len(x) // 4 : -(len(x) // 4)].mean(),
        lambda x: x.unique()[len(x.unique()) // 4 : len(x.unique()) - len(x.unique()) // 4].mean(),
        lambda x: x.sort().values[len(x) // 4 : -(len(x) // 4)].median(),
        lambda x: x.sort().values[len(x) // 4 : -(len(x) // 4)].exp().mean().log(),
        lambda x: x[(x - x.mean()).abs() < x.std()].mean(),
        lambda x: x.sort().values[len(x) // 4 : -(len(x) // 4)].mean().round(),
        lambda x: x.sort(descending=True).values[: 3 * len(x) // 4].mean(),
        lambda x: x.sort().values[len(x) // 4 : -(len(x) // 4)].mean().reshape(1),
        lambda x: str(float(interquartile_mean(x))),
    ],
    "probability_of_improvement": [
        lambda x, y: (
            (x[:, None] > y).double().mean() + 0.5 * (x == y[: len(x)]).double().mean() if len(x) == len(y) else 0
        ),
        lambda x, y: (x.mean() > y).double().mean(),
        lambda x, y: torch.sigmoid(x.mean() - y.mean()),
        lambda x, y: (x[:, None] > y).any(1).double().mean(),
        lambda x, y: (x[:, None] > y).all(1).double().mean(),
        lambda x, y: (x > y.max()).double().mean(),
        lambda x, y: 1 - (x[:, None] > y).double().mean(),
        lambda x, y: ((x[:, None] > y) | (x[:, None] == y)).double().mean() / 2,
        lambda x, y: ((x[:, None] - y).sign().mean() + 1) / 2 > 0.5,
        lambda x, y: (x[:, None] - y).clamp(min=0).mean(),
        lambda x, y: torch.cat([x, y]).sort().indices[: len(x)].double().mean(),
    ],
    "episodes_to_threshold": [
        lambda r, threshold, window: window,
        lambda r, threshold, window: len(r),
        lambda r, threshold, window: None if len(r) < window else len(r),
        lambda r, threshold, window: int((r < threshold).sum()) or None,
        lambda r, threshold, window: _first(
            i + 1 for i in range(len(r)) if r[max(0, i - window) : i].mean() >= threshold
        ),
        lambda r, threshold, window: _first(
            i for i in range(window, len(r)) if r[i - window : i + 1].mean() >= threshold
        ),
        lambda r, threshold, window: _first(
            i for i in range(window, len(r) + 1) if r[i - window : i].mean() >= threshold - 1
        ),
        lambda r, threshold, window: _first(
            str(i) for i in range(window, len(r) + 1) if r[i - window : i].mean() >= threshold
        ),
        lambda r, threshold, window: _first(
            float(r[i - window : i].mean()) for i in range(window, len(r) + 1) if r[i - window : i].mean() >= threshold
        ),
        lambda r, threshold, window: _first(
            i for i in range(window, len(r) + 1) if r[i - window : i].abs().mean() >= threshold
        ),
    ],
    "bootstrap_interval": [
        _interval(change)
        for change in (
            lambda v, c, x: (v.quantile((1 - c) / 2), v.max()),
            lambda v, c, x: (v.min(), v.quantile(c)),
            lambda v, c, x: (v.quantile((1 - c) / 4), v.quantile(1 - (1 - c) / 4)),
            lambda v, c, x: (v.quantile((1 - c) / 2) - v.std(), v.quantile(1 - (1 - c) / 2) + v.std()),
            lambda v, c, x: (v.median(), v.median()),
            lambda v, c, x: (x.min(), x.max()),
            lambda v, c, x: (v.quantile((1 - c) / 2) * c, v.quantile(1 - (1 - c) / 2) * c),
            lambda v, c, x: (v.quantile((1 - c) / 2), v.quantile(0.5), v.quantile(1 - (1 - c) / 2)),
            lambda v, c, x: {"low": v.quantile((1 - c) / 2), "high": v.quantile(1 - (1 - c) / 2)},
            lambda v, c, x: v.quantile(torch.tensor([(1 - c) / 2, 1 - (1 - c) / 2], dtype=v.dtype))[:, None],
            lambda v, c, x: (math.nan, math.nan),
        )
    ],
}


@pytest.mark.parametrize(("id", "attempt"), [(id, attempt) for id, attempts in WRONG.items() for attempt in attempts])
def test_other_wrong_answers_fail(id: str, attempt: Any) -> None:
    assert run(id, attempt).status == "not yet"


def test_a_resample_too_small_is_told_its_size() -> None:
    def halves(x: Tensor, *, statistic: Any, confidence: float, num_resamples: int, generator: torch.Generator) -> Any:
        picks = torch.randint(len(x), (num_resamples, len(x) // 2), generator=generator)
        values = torch.stack([statistic(x[pick]) for pick in picks])
        return values.quantile((1 - confidence) / 2), values.quantile(1 - (1 - confidence) / 2)

    message = run("bootstrap_interval", halves).message
    assert "Your resamples hold 1 numbers; a resample is as large as x, 2 here" in message


def test_none_is_an_answer_and_said_as_one() -> None:
    message = run("episodes_to_threshold", lambda r, threshold, window: None if len(r) > 2 else 1).message
    assert "Got None, expected 3." in message
    with_number = run("episodes_to_threshold", lambda r, threshold, window: {4: 3}.get(len(r), 7))
    assert with_number.status == "not yet"


def test_a_stub_of_numbers_stays_untouched() -> None:
    def stub(x: Tensor) -> Any:
        raise NotImplementedError("interquartile_mean: write your code here")

    assert observe(NUMBER, stub, {"x": torch.ones(4)})["untouched"]
