"""The feed of changes: each version of CHANGELOG.md as an entry of an Atom feed (RFC 4287)."""

import re
from xml.etree import ElementTree

VERSION = re.compile(r"^## \[?([\w.]+)\]?(?: - (\d{4}-\d{2}-\d{2}|unreleased))?$", re.MULTILINE)
ATOM = "http://www.w3.org/2005/Atom"
PAGE = "CHANGELOG.html"


def atom_feed(changelog: str, *, today: str, site: str = "") -> str:
    """The feed as text. Versions without a date carry `today` (YYYY-MM-DD). `site`: its address, where one is known.

    Raises: SystemExit without any version.
    """
    parts = VERSION.split(changelog)[1:]
    versions = [
        (name, day if day and day != "unreleased" else today, text.strip())
        for name, day, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    if not versions:
        raise SystemExit("tools.site: CHANGELOG.md has no line like '## 0.1.0 - 2026-12-01'")
    feed = ElementTree.Element("feed", xmlns=ATOM)
    if site:
        feed.set("xml:base", site)
        _add(feed, "link", rel="self", href="changes.xml")
    _add(feed, "title", "pgcourse: changes")
    _add(feed, "id", "tag:pgcourse,2026:changes")
    _add(feed, "updated", f"{max(day for _, day, _ in versions)}T00:00:00Z")
    _add(_add(feed, "author"), "name", "The pgcourse authors")
    _add(feed, "link", href=PAGE)
    for name, day, text in versions:
        entry = _add(feed, "entry")
        _add(entry, "title", f"pgcourse {name}")
        _add(entry, "id", f"tag:pgcourse,2026:{name}")
        _add(entry, "updated", f"{day}T00:00:00Z")
        _add(entry, "link", href=PAGE)
        _add(entry, "content", text, type="text")
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = text or None
    return child
