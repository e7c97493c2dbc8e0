"""Explainers: JavaScript gives the charts of Python at all kinds of values, and the page answers slider and keyboard."""

import importlib
import pkgutil
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgcourse.show.live import explainers
from pgcourse.show.live.embed import HERE, as_json, bundle, name_of
from pgcourse.show.live.explainer import Explainer

from .samples import SAMPLES

pytestmark = pytest.mark.slow

POSITIONS = 60  # of the controls, drawn at random
TOLERANCE = 1e-6  # relative; data reach the page with nine digits


def ready() -> dict[str, Callable[[], Explainer]]:
    """Every explainer: those that need no data, and those of SAMPLES."""
    found: dict[str, Callable[[], Explainer]] = dict(SAMPLES)
    for module in pkgutil.iter_modules(explainers.__path__):
        for name, value in vars(importlib.import_module(f"{explainers.__name__}.{module.name}")).items():
            if isinstance(value, Explainer):
                found[f"{module.name}.{name}"] = lambda value=value: value
    return found


READY = ready()


@pytest.fixture(scope="module")
def blank(chromium: Any) -> Any:
    """A page with nothing in it, which refuses every request."""
    page = chromium.new_page(viewport={"width": 1000, "height": 900})
    page.route("**/*", lambda route: route.abort())
    yield page
    page.close()


def test_every_module_has_its_explainer_here() -> None:
    there = {path.relative_to(HERE).with_suffix("").as_posix() for path in Path(HERE, "explainers").glob("*.js")}
    assert there == {make().module for make in READY.values()}


@pytest.mark.parametrize("name", sorted(READY))
def test_javascript_gives_the_chart_of_python(blank: Any, name: str) -> None:
    explainer = READY[name]()
    draw = random.Random(name)
    corners = [{key: control.values()[end] for key, control in explainer.controls.items()} for end in (0, -1)]
    drawn = [
        {key: draw.choice(control.values()) for key, control in explainer.controls.items()} for _ in range(POSITIONS)
    ]
    positions = [dict(explainer.defaults), *corners, *drawn]
    each = f"{name_of(explainer.module)}.figure(values, {as_json(explainer.data)})"
    script = f"(positions) => {{{bundle(explainer.module)}\nreturn positions.map((values) => {each});}}"
    charts = blank.evaluate(script, positions)
    for values, got in zip(positions, charts, strict=True):
        different = difference(explainer.at(**values), got, "chart")
        assert not different, f"{name} at {values}: {different}"


@pytest.mark.parametrize("name", sorted(READY))
def test_the_page_answers_at_once_by_mouse_and_keyboard_without_a_request(blank: Any, name: str) -> None:
    explainer = READY[name]()
    errors: list[str] = []
    blank.on("pageerror", lambda error: errors.append(str(error)))
    blank.set_content(f"<!doctype html><html lang='en'><meta charset='utf-8'><body>{explainer.output()['text/html']}")
    blank.wait_for_selector("figure[data-awake] .pg-stage svg")
    assert not blank.locator(".pg-still").is_visible(), "the live figure takes the picture's place"
    for label in (control.label for control in explainer.controls.values()):
        control = blank.get_by_label(label, exact=True)
        before = blank.locator(".pg-stage").inner_html()
        control.focus()
        # From either end one of the two keys moves it.
        for key in (
            ("ArrowRight", "ArrowLeft", "ArrowLeft")
            if control.evaluate("c => c.type") == "range"
            else ("ArrowDown", "ArrowUp")
        ):
            blank.keyboard.press(key)
            blank.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            if changed := blank.locator(".pg-stage").inner_html() != before:
                break
        assert changed, f"{label!r} moves nothing"
    assert errors == []


def test_two_figures_of_a_page_do_not_clip_each_other(blank: Any) -> None:
    """Every figure brings its own copy of chart.js, and the names in a page are one space."""
    both = "".join(READY[name]().output()["text/html"] for name in ("napkin.NAPKIN", "discount.DISCOUNT"))
    blank.set_content(f"<!doctype html><html lang='en'><meta charset='utf-8'><body>{both}")
    blank.wait_for_function("() => document.querySelectorAll('figure[data-awake] .pg-stage clipPath').length >= 4")
    names = blank.evaluate("() => [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(names) == len(set(names))


def difference(expected: Any, got: Any, place: str) -> str:
    """Where two charts differ, "" where they are equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        if set(expected) != set(got):
            return f"{place} has {sorted(expected)} in Python and {sorted(got)} in JavaScript"
        pairs = [(expected[key], got[key], f"{place}.{key}") for key in expected]
    elif isinstance(expected, list | tuple) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{place} has {len(expected)} entries in Python and {len(got)} in JavaScript"
        pairs = [(a, b, f"{place}[{i}]") for i, (a, b) in enumerate(zip(expected, got, strict=True))]
    elif isinstance(expected, float | int) and isinstance(got, float | int) and not isinstance(expected, bool):
        same = (
            expected == got
            or (expected != expected and got != got)
            or abs(expected - got) <= TOLERANCE * max(1.0, abs(expected))
        )
        return "" if same else f"{place}: {expected} in Python, {got} in JavaScript"
    else:
        return "" if expected == got else f"{place}: {expected!r} in Python, {got!r} in JavaScript"
    return next((found for pair in pairs if (found := difference(*pair))), "")
