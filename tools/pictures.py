"""Take the pictures of docs/design.md in a browser, in both themes: `python -m tools.pictures`.

The elements are those that the package shows; the page around them has JupyterLab's classes and colours.
"""

import inspect
import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pgcourse import losses
from pgcourse.checks import card, get, listing, run
from pgcourse.errors import InvalidInput
from pgcourse.returns import discounted_returns
from pgcourse.show import page
from pgcourse.show.figures.curves import claimed_curves
from pgcourse.show.live.explainers.discount import DISCOUNT
from pgcourse.show.page.style import SERIES
from pgcourse.storage import atomic_write

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "design"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH = 840  # pixels of the page
# What JupyterLab's own sheet gives every output.
SURROUNDINGS = """
body { margin: 0; background: %(paper)s; color: %(ink)s; font: 14px/1.6 system-ui, sans-serif; }
.jp-Notebook { padding: 8px; } code { font-family: monospace; background: %(code)s; padding: 1px 5px; }
pre code { background: none; padding: 0; } table { border-collapse: collapse; } th, td { padding: 0.4em 0.8em; }
"""
THEMES = {
    "light": {"paper": "#ffffff", "ink": "#212121", "code": "#eeeeee"},
    "dark": {"paper": "#111111", "ink": "#ffffff", "code": "#333333"},
}
QUESTION = """<form class="pg-question"><fieldset style="border: 0; margin: 0; padding: 0">
<legend>What does a larger λ do to the advantage of one step?</legend>
<label><input type="radio" name="a"> It waits for more rewards: less bias, more noise</label>
<label><input type="radio" name="a"> It believes the critic more: less noise, more bias</label></fieldset>
<p><button type="button">Check</button></p></form>"""


def elements() -> dict[str, str]:
    """Name of a picture -> the HTML that is shown on it."""
    wrong = next(each for each in get("discounted_returns").misconceptions if each.id == "accumulated-forwards").wrong
    attempts = {"card-wrong": wrong, "card-right": discounted_returns, "card-open": None}
    cards = {
        name: card.verdict_card("discounted_returns", run("discounted_returns", attempt))
        for name, attempt in attempts.items()
    }
    figure = claimed_curves("baselines", {"baseline": "with baseline", "no_baseline": "without baseline"})
    caption = "Lines are interquartile means of ten seeds, bands their 95 % intervals."
    swatches = "".join(
        f'<td><span style="display: inline-block; width: 3em; height: 3px; background: var(--pg-{name}); '
        f'vertical-align: middle"></span><br><code>{name}</code></td>'
        for name in SERIES
    )
    return {
        "figure": page.still(figure, alt="Two learning curves with bands.", caption=caption)["text/html"],
        **cards,
        "listing": listing.listing(inspect.getsource(losses.value_loss).rstrip(), place="pgcourse/losses.py"),
        "question": QUESTION,
        "live": DISCOUNT.output()["text/html"],
        "colours": f"<table><tr>{swatches}</tr></table>",
    }


def take(folder: Path = FOLDER) -> list[Path]:
    """Write NAME-THEME.png for every element. Returns: the files. Raises: InvalidInput where there is no browser."""
    from playwright.sync_api import sync_playwright

    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise InvalidInput("no Chromium on this machine; install it (Debian: apt install chromium)")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for theme, colours in THEMES.items():
            for name, markup in elements().items():
                tab = chromium.new_page(viewport={"width": WIDTH, "height": 900})
                tab.set_content(
                    f"<!doctype html><style>{SURROUNDINGS % colours}</style>{page.style_element()}"
                    f'<body data-jp-theme-light="{str(theme == "light").lower()}"><div class="jp-Notebook">'
                    f'<div class="jp-RenderedHTMLCommon" id="shown">{markup}</div></div></body>'
                )
                tab.wait_for_timeout(200)  # [ms] until pictures are decoded and a script has drawn
                path = folder / f"{name}-{theme}.png"
                atomic_write(path, _small(tab.locator("#shown").screenshot()))
                written.append(path)
                tab.close()
        chromium.close()
    return written


def _small(content: bytes) -> bytes:
    """The same picture with 64 colours: flat colours and letters need no more."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns: its exit status."""
    if arguments is None and len(sys.argv) > 1:
        print(__doc__)
        return 2
    try:
        files = take()
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} pictures, {size // 1000} kB, in docs/design")
    return 0


if __name__ == "__main__":
    sys.exit(main())
