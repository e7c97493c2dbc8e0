"""Pages made of text that is already in the repository: the README's sections, the units as cards, the package's modules."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .notebooks import toctree
from .units import COMMENT, Unit

# Sections of the README that say how to start, in the order of the page.
START = ("Start", "Commands", "Windows, conda, Binder", "Do I need a GPU?", "If something goes wrong")
LOOK_UP = {"symbols": "Symbols", "asked_for": "Topics, and where they are"}  # files of docs/ that every reader may want
TEACHING = {
    "teaching": "Teaching",
    "grading": "Grading",
    "jupyterhub": "A class on JupyterHub",
    "prerequisite_test": "Prerequisite test",
    "concept_test": "Concept test",
    "design": "Design of the pages",
}  # files of docs/, in the order of the menu
DIAGRAM = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)
SPEED = ("How fast, and how surely?",)


@dataclass(frozen=True)
class Group:
    """Modules of the package under one heading of the reference."""

    title: str
    modules: tuple[str, ...]


# Public modules; what stands here is what the lessons and exercises import.
REFERENCE = (
    Group("Mathematics", ("returns", "losses", "diagnostics", "natural_gradient", "statistics")),
    Group("Algorithms", ("algorithms.reinforce", "algorithms.a2c", "algorithms.ppo", "algorithms.trpo")),
    Group("Networks and environments", ("networks", "normalization", "optim", "envs")),
    Group("Collect, evaluate, film", ("rollout", "evaluation", "render")),
    Group("Runs", ("training", "tensorboard", "runs", "checkpoint", "errors")),
    Group("Studies", ("study.seeds", "study.diagnose", "study.traps")),
    Group("Checks", ("checks.learner", "checks.runner", "checks.exercise")),
)


def readme_page(readme: str, title: str, sections: Sequence[str]) -> str:
    """A page of those sections of the README. Raises: SystemExit for a section that it does not have."""
    found = {
        part.partition("\n")[0].strip(): part.partition("\n")[2].strip()
        for part in re.split(r"^## ", readme, flags=re.MULTILINE)[1:]
    }
    missing = [name for name in sections if name not in found]
    if missing:
        raise SystemExit(f"tools.site: README.md has no section {missing[0]!r}")
    parts = [f"## {name}\n\n{found[name]}" for name in sections]
    # Links of the README are relative to the repository's root, and so are the pages of the site.
    text = COMMENT.sub("", f"# {title}\n\n" + "\n\n".join(parts)) + "\n"
    return re.sub(r"\]\((notebooks|LICENSE|exercises|solutions)\)", "](index.md)", text)


def without_diagrams(text: str) -> str:
    """`text` without its Mermaid diagrams: to draw them, a page would load three megabytes of script."""
    return DIAGRAM.sub("*(The diagram is drawn where the repository is shown.)*", text)


def unit_map(units: Sequence[Unit]) -> str:
    """The units as a list of cards, HTML for the landing page."""
    items = []
    for unit in units:
        lesson, exercises = f"notebooks/{unit.name}.html", f"exercises/{unit.name}.html"
        items.append(
            f'<li class="pg-unit"><span class="pg-unit-number" aria-hidden="true">{unit.number}</span>'
            f'<h3><a href="{lesson}">{html.escape(unit.title)}</a></h3>'
            f"<p>{html.escape(unit.able_to[0].upper() + unit.able_to[1:])}.</p>"
            f'<p class="pg-unit-links"><span>lesson {unit.core} min</span>'
            f'<a href="{exercises}">exercises <span class="pg-unseen">of unit {unit.number}, </span>{unit.exercises} min</a>'
            "</p></li>"
        )
    return '<ol class="pg-units" role="list">\n' + "\n".join(items) + "\n</ol>"


def menu(units: Sequence[Unit], documents: Sequence[str]) -> str:
    """The side map, hidden in the landing page: units, then what one looks up, then what teachers and authors need."""
    lessons = [f"{unit.label} <notebooks/{unit.name}>" for unit in units]
    look_up = [
        "Start <start>",
        *(f"{title} <docs/{name}>" for name, title in LOOK_UP.items()),
        "The package <api/index>",
        "Speed <speed>",
        "Changes <CHANGELOG>",
    ]
    rest = [name for name in documents if name not in TEACHING and name not in LOOK_UP]
    others = [*(name for name in TEACHING if name in documents), *rest]
    pages = [f"{TEACHING.get(name, name.replace('_', ' ').capitalize())} <docs/{name}>" for name in others]
    parts = [
        toctree(lessons, "Units"),
        toctree(look_up, "Look up"),
        toctree([*pages, "Contributing <CONTRIBUTING>"], "Teach and change"),
    ]
    return "\n\n".join(parts)


def reference_pages() -> dict[str, str]:
    """Path below the site's source -> reStructuredText of the reference of the package."""
    pages = {}
    index = [_title("The package", "="), "Everything that the lessons and exercises import. A page is a module.", ""]
    for group in REFERENCE:
        index += [_title(group.title, "-"), ".. toctree::", "   :maxdepth: 1", ""]
        for module in group.modules:
            name = f"pgcourse.{module}"
            page = module.replace(".", "_")
            index.append(f"   {module} <{page}>")
            pages[f"api/{page}.rst"] = f"{_title(name, '=')}\n.. automodule:: {name}\n   :members:\n"
        index.append("")
    return {"api/index.rst": "\n".join(index), **pages}


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"
