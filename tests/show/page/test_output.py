"""What a cell shows can be read everywhere: by eye, by ear, and where no HTML is."""

import base64
import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from pgcourse import losses
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy
from pgcourse.show import page
from pgcourse.show.page import output


def test_importing_the_package_and_what_a_training_process_needs_loads_neither_matplotlib_nor_ipywidgets() -> None:
    heavy = {"matplotlib", "ipywidgets", "IPython"}
    code = f"import sys, pgcourse.show.dashboard.run; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def content_of(bundle: dict[str, str]) -> tuple[str, bytes]:
    """MIME type and bytes of the picture inside display data."""
    mime, data = re.findall(r'src="data:([^;]+);base64,([^"]+)"', bundle["text/html"])[0]
    return mime, base64.b64decode(data)


def test_a_figure_has_alt_text_and_caption_and_is_held_once(shown: list[Any]) -> None:
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    page.figure(figure, alt='A line that "rises" & ends', caption="Look at the end: a < b.")
    (bundle,) = shown
    assert 'alt="A line that &quot;rises&quot; &amp; ends"' in bundle["text/html"]
    assert "<figcaption>Look at the end: a &lt; b.</figcaption>" in bundle["text/html"]
    mime, content = content_of(bundle)
    assert mime == "image/svg+xml" and content.startswith(b"<svg ") and 'width="640"' in bundle["text/html"]
    assert set(bundle) == {"text/html", "text/plain"}, "a second copy would double the notebook"
    assert bundle["text/plain"] == '[Picture: A line that "rises" & ends]\nLook at the end: a < b.'
    assert figure.number not in plt.get_fignums(), "left open, the notebook would show it twice"


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_picture_without_text_alternative_is_refused(alt: str) -> None:
    with pytest.raises(InvalidInput, match="alt is empty"):
        page.picture(b"", "image/png", alt=alt)


def test_a_gif_stands_in_the_page_itself(tmp_path: Path, shown: list[Any]) -> None:
    path = tmp_path / "agent.gif"
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)
    page.gif(path, alt="A black square.", width=300)
    (bundle,) = shown
    assert content_of(bundle) == ("image/gif", path.read_bytes())
    assert '<img class="pg-photo"' in bundle["text/html"], "the dark theme leaves a film as it is"
    assert 'alt="A black square." width="300"' in bundle["text/html"] and str(tmp_path) not in str(bundle)


def test_a_missing_gif_and_another_file_are_refused_without_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read none\.gif") as caught:
        page.gif(tmp_path / "none.gif", alt="x")
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "text.gif").write_text("no picture")
    with pytest.raises(InvalidInput, match=r"text\.gif is no GIF"):
        page.gif(tmp_path / "text.gif", alt="x")


@pytest.mark.parametrize("obj", [losses.reinforce_loss, CategoricalPolicy, CategoricalPolicy.forward, losses])
def test_source_is_the_real_source_without_a_folder(obj: Any, shown: list[Any], repository: Path) -> None:
    page.source(obj)
    (bundle,) = shown
    file = "networks.py" if obj is not losses and "loss" not in obj.__name__ else "losses.py"
    assert bundle["text/plain"].startswith(f"pgcourse/{file}\n")
    assert f"<code>pgcourse/{file}</code>" in bundle["text/html"]
    body = bundle["text/plain"].partition("\n\n")[2]
    original = (repository / "pgcourse" / file).read_text()
    assert all(line.strip() in original for line in body.splitlines()) and not body.startswith(" ")
    # What stands in the page, without its colours, is that very source.
    pre = bundle["text/html"].partition("<pre")[2].partition(">")[2]
    assert html.unescape(re.sub(r"<[^>]*>", "", pre)) == body and str(repository) not in str(bundle)


def test_source_can_be_folded_away_under_words(shown: list[Any]) -> None:
    page.source(losses.value_loss, folded="open it <later>")
    (bundle,) = shown
    assert bundle["text/html"].startswith("<details><summary>open it &lt;later&gt;</summary>")
    assert bundle["text/html"].endswith("</details>") and "<details open" not in bundle["text/html"]
    assert "def value_loss" in bundle["text/plain"]


def test_source_of_something_without_source_is_refused() -> None:
    with pytest.raises(InvalidInput, match="float has no source to show"):
        page.source(1.5)


def test_prose_fills_known_figures_only(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "fill_placeholders", lambda text: text.replace("{{a:b}}", "289 [274, 301]"))
    page.prose("    It takes **{{a:b}}** episodes.\n    Look.")
    assert shown[0]["text/markdown"] == "It takes **289 [274, 301]** episodes.\nLook."
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="no claims named 'nothing'"):
        page.prose("{{nothing:here}}")
