"""Put together the folder that Sphinx reads, laid out as the repository is, so that links between files hold."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat

from . import documents, landing, notebooks
from .changes import atom_feed
from .preview import preview
from .units import read_units

STYLESHEET = Path("pgcourse/show/page/style.css")  # of the course; the site's own comes after it


class Folder:
    """The assembled folder. A file is written only where it differs, so that Sphinx builds again only what changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: set[Path] = set()

    def write(self, name: str, content: str | bytes) -> None:
        """Put `content` under `name`."""
        target = self.path / name
        self.kept.add(target)
        raw = content.encode() if isinstance(content, str) else content
        if not target.exists() or target.read_bytes() != raw:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(raw)

    def remove_others(self) -> None:
        """Remove what an earlier assembly left."""
        for path in self.path.rglob("*"):
            if path.is_file() and path not in self.kept:
                path.unlink()


def assemble(root: Path, target: Path, *, repository: str, site: str, node_modules: Path) -> None:
    """Write the source of the site from the checkout at `root` into `target`. Args: addresses, "" where there is none."""
    folder = Folder(target)
    units = read_units(root)

    def store(name: str, content: bytes) -> None:
        folder.write(f"{notebooks.OUTPUTS}/{name}", content)

    for unit in units:
        path = f"notebooks/{unit.name}.ipynb"
        page = notebooks.lesson_page(
            notebooks.read(root / path), unit, actions=notebooks.run_it(path, repository), store=store
        )
        folder.write(path, nbformat.writes(page))
        path = f"exercises/{unit.name}.ipynb"
        stubs = notebooks.exercises_page(notebooks.read(root / path), actions=notebooks.run_it(path, repository))
        folder.write(path, nbformat.writes(stubs))
    named = sorted(path.stem for path in (root / "docs").glob("*.md"))
    for path in (root / "docs").rglob("*"):
        if path.is_file():
            folder.write(path.relative_to(root).as_posix(), path.read_bytes())
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        folder.write(name, documents.without_diagrams((root / name).read_text(encoding="utf-8")))
    readme = (root / "README.md").read_text(encoding="utf-8")
    folder.write("start.md", documents.readme_page(readme, "Start", documents.START))
    folder.write("speed.md", documents.readme_page(readme, "Speed", documents.SPEED))
    for name, text in documents.reference_pages().items():
        folder.write(name, text)
    index = (root / "site" / "index.md").read_text(encoding="utf-8")
    index = landing.filled(index, unit_map=documents.unit_map(units))
    folder.write("index.md", index + "\n\n" + documents.menu(units, named) + "\n")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    folder.write("_extra/changes.xml", atom_feed(changelog, today=datetime.now(UTC).date().isoformat(), site=site))
    folder.write("_static/preview.png", preview(root / "docs" / "agent.gif"))
    for name in ("site.css", "site.js"):
        folder.write(f"_static/{name}", (root / "site" / name).read_bytes())
    folder.write("_static/course.css", (root / STYLESHEET).read_bytes())
    _add_formulas(folder, node_modules / "katex" / "dist")
    folder.remove_others()


def _add_formulas(folder: Folder, katex: Path) -> None:
    """KaTeX's style and fonts; formulas themselves are set when the site is built. Raises: SystemExit without KaTeX."""
    if not (katex / "katex.min.css").exists():
        raise SystemExit(
            "tools.site: KaTeX is missing; run `npm ci` in the repository's root, or `make site`, which does"
        )
    css = (katex / "katex.min.css").read_text(encoding="utf-8")
    # Browsers of the last ten years read woff2.
    css = re.sub(r",url\([^)]+\.(?:woff|ttf)\) format\(\"(?:woff|truetype)\"\)", "", css)
    folder.write("_static/katex/katex.min.css", css)
    for font in sorted((katex / "fonts").glob("*.woff2")):
        folder.write(f"_static/katex/fonts/{font.name}", font.read_bytes())


def clear(folder: Path) -> None:
    """Remove a folder that was built before."""
    shutil.rmtree(folder, ignore_errors=True)
