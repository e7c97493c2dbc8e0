"""Build the published site into build/site.

    .venv/bin/python -m tools.site          build what changed
    .venv/bin/python -m tools.site --fresh  build everything again

`make site` does the same after it has installed what the site needs.
"""

import argparse
import os
import tomllib
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from .assemble import assemble, clear

ROOT = Path(__file__).resolve().parents[2]
SOURCE, SITE, PARSED = ROOT / "build" / "site-source", ROOT / "build" / "site", ROOT / "build" / "site-parsed"
# Set by the workflow that publishes, so that a fork's site names the fork; else [project.urls] says it, or nothing does.
ADDRESSES = {"PGCOURSE_REPOSITORY": "Repository", "PGCOURSE_SITE": "Documentation"}


def addresses() -> dict[str, str]:
    """Variable -> address of the repository and of the site, "" where none is configured."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        urls = tomllib.load(file)["project"].get("urls", {})
    found = {variable: os.environ.get(variable) or urls.get(key, "") for variable, key in ADDRESSES.items()}
    repository, site = (address.rstrip("/") for address in found.values())
    return dict(zip(ADDRESSES, (repository.removesuffix(".git"), site and f"{site}/"), strict=True))


def main() -> int:
    """Assemble, then run Sphinx; a warning is an error."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="build everything again")
    if parser.parse_args().fresh:
        for folder in (SOURCE, SITE, PARSED):
            clear(folder)
    known = addresses()
    os.environ.update(known)  # site/conf.py reads the second one there
    repository, site = known.values()
    assemble(ROOT, SOURCE, repository=repository, site=site, node_modules=ROOT / "node_modules")
    options = ["-b", "html", "-q", "--fail-on-warning", "--keep-going", "--nitpicky", "-j", "2"]
    status = sphinx([*options, "-c", str(ROOT / "site"), "-d", str(PARSED), str(SOURCE), str(SITE)])
    if status == 0:
        print(f"the site is in {SITE.relative_to(ROOT)}: open {(SITE / 'index.html').relative_to(ROOT)} in a browser")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
