"""The page that `pgcourse lab` opens: an agent, three steps, the units with what is solved of them, and where to go on."""

import contextlib
import html
import platform
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import nbformat

from ...checks import progress
from ...checks.catalogue import UNITS
from ...storage import atomic_write
from ...workfolder import HOME, changed_files
from ...workfolder.trust import is_trusted, trust
from .. import page
from ..live.agents import landing
from .progress_page import Standing, standings

CELL = "# Run this cell to renew the page\nfrom pgcourse.show.page.home import home\n\nhome()"
CELL_ID = "home"
# As a kernel writes it when the page is opened, or else the page would count as changed.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": platform.python_version(),
    },
}
STEPS = (
    ("Read the lesson.", "It asks you to predict before you run a cell. Shift+Enter runs one."),
    ("Solve its exercises.", "Each is one function, and a few of them make an algorithm."),
    (
        "Check.",
        "The cell below each exercise says what is right, or which mistake it sees. Three hints wait behind it.",
    ),
)


@dataclass(frozen=True)
class UnitState:
    """How far the learner is in one unit; paths are relative to the work folder, None where the file is not there."""

    number: str
    exercises: list[Standing]
    lesson: str | None
    notebook: str | None

    @property
    def solved(self) -> int:
        """How many exercises are correct."""
        return sum(row.status == "correct" for row in self.exercises)

    @property
    def minutes_left(self) -> int:
        """For the exercises that are not solved."""
        return sum(row.minutes_left for row in self.exercises)

    @property
    def words(self) -> str:
        """The state as text."""
        total = len(self.exercises)
        left = f", about {self.minutes_left} min left" if self.minutes_left else ""
        return f"{self.solved} of {total} exercises solved{left}"


def home(folder: Path | None = None) -> None:
    """Show the page as it is now. Args: folder: the work folder; default the current one."""
    page.display(_content(folder or Path.cwd()), raw=True)


def write_home(folder: Path) -> None:
    """Write the page anew, so that it shows without a kernel. Cells that the learner added to it stay below it."""
    file, added, trusted = folder / HOME, [], True
    with contextlib.suppress(Exception):  # no such file yet, or no notebook any more: the page is made anew
        before = nbformat.read(file, as_version=4)
        added = [cell for cell in before.cells if cell.get("id") != CELL_ID]
        trusted = not added or is_trusted(before)
    output = nbformat.v4.new_output("display_data", data=_content(folder))
    cell = nbformat.v4.new_code_cell(CELL, id=CELL_ID, outputs=[output], metadata={"jupyter": {"source_hidden": True}})
    notebook = nbformat.v4.new_notebook(cells=[cell, *added])
    notebook.metadata = nbformat.from_dict(METADATA)
    atomic_write(file, nbformat.writes(notebook) + "\n")
    if trusted:
        trust(notebook)


def units(folder: Path) -> list[UnitState]:
    """The units in order, with the files of this folder."""
    rows = standings()
    found = []
    for number in UNITS:
        lesson, notebook = (
            next((f"{kind}/{file.name}" for file in sorted((folder / kind).glob(f"{number}_*.ipynb"))), None)
            for kind in ("notebooks", "exercises")
        )
        found.append(UnitState(number, [row for row in rows if row.unit == number], lesson, notebook))
    return found


def where_to_go_on(folder: Path) -> tuple[str, str]:
    """(path, words) of the notebook that was worked in last; of the next lesson, where its exercises are all solved."""
    states = units(folder)
    activity = {path: time for path, time in changed_files(folder).items() if path.endswith(".ipynb")}
    entries = progress.load()["exercises"]
    for state in states:
        checks = [entries.get(row.id, {}).get("last_check") for row in state.exercises]
        with contextlib.suppress(ValueError, TypeError):  # a time that somebody has edited
            times = [datetime.fromisoformat(check).timestamp() for check in checks if check]
            if times and state.notebook:
                activity[state.notebook] = max(activity.get(state.notebook, 0.0), *times)
    last = max(activity, key=lambda path: activity[path], default=None)
    for index, state in enumerate(states):
        title = f"{state.number} {UNITS[state.number].title}"
        if last == state.lesson and last:
            return last, f"{title}: the lesson"
        if last == state.notebook and last:
            after = states[index + 1] if index + 1 < len(states) else None
            if state.solved < len(state.exercises) or after is None or after.lesson is None:
                return last, f"{title}: the exercises, {state.words}"
            return after.lesson, f"{after.number} {UNITS[after.number].title}: the lesson"
    first = states[0]
    return first.lesson or HOME, f"{first.number} {UNITS[first.number].title}: the lesson"


def _content(folder: Path) -> dict[str, str]:
    states = units(folder)
    path, words = where_to_go_on(folder)
    begun = any(row.tries for state in states for row in state.exercises) or path != states[0].lesson
    solved, total = sum(state.solved for state in states), sum(len(state.exercises) for state in states)
    left = sum(state.minutes_left for state in states)
    so_far = f"{solved} of {total} exercises solved" + (f", about {_hours(left)} left" if left else "")
    steps = "".join(f"<li><strong>{title}</strong> {text}</li>" for title, text in STEPS)
    style = Path(__file__).with_name("home.css").read_text(encoding="utf-8")
    content = (
        f'<style>{style}</style><div class="pg-home"><header class="pg-home-head"><div>'
        "<h1>Policy gradients, from the first line to the last bug</h1>"
        f"<p>{'Go on with:' if begun else 'Start here:'}</p>"
        f'<p><a class="pg-home-go" href="{html.escape(path)}">{html.escape(words)}</a></p>'
        f"</div></header>{landing(caption='From random to trained. Push them.')}"
        f'<ol class="pg-home-steps">{steps}</ol>'
        f'<h2>Units</h2><p class="pg-home-total">{_bar(solved, total, "exercises solved in the whole course")} {so_far}.</p>'
        f'<ul class="pg-home-map">{"".join(_card(state, path) for state in states)}</ul>'
        f'<p class="pg-home-note">Symbols of all units: <a href="docs/symbols.md">one table</a>. This folder is yours; the '
        "course's own files stay as they are. Run the folded cell at the top to renew this page.</p></div>"
    )
    lines = [f"{state.number} {UNITS[state.number].title}: {state.words}" for state in states]
    return {"text/html": content, "text/plain": "\n".join([*lines, so_far, f"Go on: {path}"])}


def _card(state: UnitState, here: str) -> str:
    unit = UNITS[state.number]
    done = bool(state.exercises) and state.solved == len(state.exercises)
    kind = " pg-home-here" * (here in (state.lesson, state.notebook)) + " pg-home-done" * done
    links = [
        f'<a href="{path}" aria-label="{word} of unit {state.number}">{word}</a>'
        for word, path in (("Lesson", state.lesson), ("Exercises", state.notebook))
        if path
    ]
    return (
        f'<li class="pg-home-unit{kind}"><h3><span class="pg-home-number">{state.number}</span> {html.escape(unit.title)}'
        f"{' <span class=pg-home-mark>✓ solved</span>' * done}</h3>"
        f"<p>{html.escape(unit.goal[0].upper() + unit.goal[1:])}.</p>"
        f'<p class="pg-home-state">{_bar(state.solved, len(state.exercises), f"exercises solved in unit {state.number}")}'
        f' {state.words}</p><p class="pg-home-links">{" ".join(links)}</p></li>'
    )


def _bar(value: int, total: int, label: str) -> str:
    return f'<progress value="{value}" max="{max(total, 1)}" aria-label="{label}"></progress>'


def _hours(minutes: int) -> str:
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.0f} hours"
