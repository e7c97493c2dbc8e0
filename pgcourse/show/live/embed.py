"""JavaScript inside a cell's output: modules joined into one inline script, and the picture that stands where none runs.

The script needs no kernel and asks for nothing. It runs in a trusted notebook and on a static page; an untrusted
notebook, a printed page and a viewer without scripts show the picture.
"""

import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidInput
from ...study.prose import fill_placeholders

HERE = Path(__file__).resolve().parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[\w/.-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
INLINE_TYPE = re.compile(r"/\*\* @(?:type|param).*?\*/ ?")
DIGITS = 9  # of a number in the page

# The stage takes the place of what is still, once for each output; where that fails, what is still stays.
WAKE = """for (const root of document.querySelectorAll('[data-live="%(id)s"]:not([data-awake])')) {
  root.dataset.awake = "";
  try {
    %(main)s(root.querySelector(".pg-stage"), %(data)s, "%(id)s-" + Math.random().toString(36).slice(2, 8));
    root.querySelector(".pg-still").hidden = true;
  } catch (error) {
    console.error(error);
  }
}"""


def bundle(module: str) -> str:
    """A module and all that it imports as one script without `import`: each module a function that runs once.

    Args: module: name below `pgcourse/show/live/` without ".js". What it exports is afterwards in a constant, `name_of(module)`.
    Raises: InvalidInput for a module that is not there.
    """
    done: dict[str, str] = {}
    _add(module, done)
    return "\n".join(done.values())


def name_of(module: str) -> str:
    """The constant that holds what a module exports."""
    return "$" + re.sub(r"\W", "_", module)


def live(module: str, data: Any, *, still: str, alt: str, caption: str = "", name: str = "") -> dict[str, str]:
    """Display data of a figure that lives in the page.

    Args: module: whose function `main(stage, data, name)` fills the element `stage`. data: what it is given: JSON, arrays
    allowed. still: HTML of the picture that stands there without scripts. alt: what one sees. caption: what to look at;
    its placeholders are filled from claims. name: makes two figures of one module and data different.
    Raises: InvalidInput for an empty alt text.
    """
    if not alt.strip():
        raise InvalidInput("alt is empty; say in a sentence what the figure shows, for readers who cannot see it")
    alt, caption = " ".join(fill_placeholders(alt, hover=False).split()), " ".join(caption.split())
    identity, script = waking(module, data, name=name)
    below = fill_placeholders(caption, escape=lambda text: html.escape(text, quote=False))
    figcaption = f"<figcaption>{below}</figcaption>" if caption else ""
    return {
        "text/html": (
            f'<figure class="pg-live" data-live="{identity}"><div class="pg-still">{still}</div>'
            f'<div class="pg-stage" role="group" aria-label="{html.escape(alt)}"></div>{figcaption}'
            f"{script}</figure>"
        ),
        "text/plain": f"[Picture: {alt}]" + (f"\n{fill_placeholders(caption, hover=False)}" if caption else ""),
    }


def waking(module: str, data: Any, *, name: str = "") -> tuple[str, str]:
    """What an element needs to live: its `data-live`, and the script that stands inside it.

    The element holds one of class `pg-stage`, which `main(stage, data, name)` of the module fills, and one of class
    `pg-still`, which is hidden then. Args: as of `live`.
    """
    given = as_json(data)
    digest = hashlib.sha1(f"{module}\n{given}\n{name}".encode()).hexdigest()[:8]
    identity = f"{module.rpartition('/')[2].replace('_', '-')}-{digest}"
    wake = WAKE % {"id": identity, "main": f"{name_of(module)}.main", "data": given}
    return identity, f'<script type="module">\n{bundle(module)}\n{wake}\n</script>'


def as_json(data: Any) -> str:
    """JSON that may stand inside a script: short numbers, and nothing that ends the script. Raises: InvalidInput."""
    try:
        text = json.dumps(_plain(data), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"this cannot be sent to the page: {error}; give numbers, texts, lists, dicts or arrays"
        ) from None
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        short = float(f"{value:.{DIGITS}g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    return value


def _add(module: str, done: dict[str, str]) -> None:
    """Put the module behind those that it imports."""
    if module in done:
        return
    path = HERE / f"{module}.js"
    if not path.is_file():
        raise InvalidInput(f"pgcourse/show/live has no {module}.js")
    source = path.read_text(encoding="utf-8")
    folder = module.rpartition("/")[0]
    lines = []
    for names, target in IMPORT.findall(source):
        other = (HERE / folder / f"{target}.js").resolve().relative_to(HERE).with_suffix("").as_posix()
        _add(other, done)
        lines.append(f"const {{{names.replace(' as ', ': ')}}} = {name_of(other)};")
    exported = ", ".join(EXPORTED.findall(source))
    body = COMMENT.sub("", EXPORT.sub("", IMPORT.sub("", source)))
    body = INLINE_TYPE.sub("", body).strip()
    opening = "\n".join([f"const {name_of(module)} = (() => {{", *lines])
    done[module] = f"{opening}\n{body}\nreturn {{{exported}}};\n}})();"
