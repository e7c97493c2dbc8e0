"""The look of what a teacher and a student read outside of notebooks: the course's colours, light and dark, and one sheet."""

import re
from functools import cache
from pathlib import Path

from pgcourse.checks.card import stylesheet

SHEET = Path(__file__).with_name("look.css")


@cache
def look() -> str:
    """The stylesheet. The dark colours follow the reader's system, because these pages run no script to ask for them."""
    light, dark = (
        re.search(start + r"\{([^}]*)\}", stylesheet()).group(1)  # type: ignore[union-attr]
        for start in (":root", r'html\[data-theme="dark"\]')
    )
    own = re.sub(r"/\*.*?\*/\s*", "", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{own}"
