"""The docstrings of the package are plain text for readers of the code; here they become reStructuredText."""

import re

FIELD = re.compile(r"(?:^|(?<=[.;:)] ))(Args|Returns|Raises|Source|Example): ", re.MULTILINE)
NAMES = {"Args": "Arguments"}
CODE = re.compile(r"(`+)([^`]+)\1")
SPECIAL = re.compile(r"[*|\\]|_(?=\W|$)")
ITEM = re.compile(r"^(?:- |\d+\. )")


def to_restructured_text(lines: list[str]) -> list[str]:
    """The lines of a docstring as Sphinx reads them: code in backticks, indented blocks as they stand, a field a line."""
    result: list[str] = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        if not block.strip():
            continue
        rows = block.split("\n")
        if all(row.startswith("    ") for row in rows):
            result += ["::", "", *rows, ""]
        elif ITEM.match(rows[0]):
            result += [*[_escaped(row) for row in rows], ""]
        else:
            result += [*_paragraph(" ".join(row.strip() for row in rows)), ""]
    return result


def _paragraph(text: str) -> list[str]:
    """A paragraph, with what it says of arguments, results and errors as fields."""
    words, *fields = FIELD.split(text)
    rows = [
        f":{NAMES.get(name, name)}: {_escaped(text.strip())}"
        for name, text in zip(fields[::2], fields[1::2], strict=True)
    ]
    if not words.strip():
        return rows
    return [_escaped(words.strip()), *(["", *rows] if rows else [])]


def _escaped(text: str) -> str:
    """`text` with code in double backticks, and no other sign that reStructuredText would read."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        parts += [SPECIAL.sub(r"\\\g<0>", text[end : match.start()]), f"``{match[2]}``"]
        following = text[match.end() : match.end() + 1]
        parts.append("\\ " if following and re.match(r"\w", following) else "")
        end = match.end()
    return "".join([*parts, SPECIAL.sub(r"\\\g<0>", text[end:])])
