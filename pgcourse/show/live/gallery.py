"""Agents side by side from one start state: as one GIF, and to scrub through step by step."""

import functools
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from ...errors import InvalidInput
from ...render import require_drawable
from ...storage import atomic_write
from .. import page
from ..page.widgets import PICTURE_LAYOUT, DescribedImage, has_frontend, show_widget
from .film import COLOURS, Reel, record

COLUMNS = 3  # tiles of 300 pixels in a row
CAPTION_HEIGHT = 42  # pixels, two lines
STRIDE = 2  # environment steps for each picture
WHITE, BLACK = COLOURS, COLOURS + 1  # for the captions, behind the colours of the environment's pictures


class Gallery:
    """Recorded agents, and their pictures side by side.

    Args: runs: title -> Result, policy, or None for a random agent. seed: of the held-out start state, the same for all.
    env_id: needed where no Result says it. max_steps: of each agent. Raises: InvalidInput.
    """

    def __init__(
        self,
        runs: Mapping[str, Any],
        seed: int,
        *,
        env_id: str | None = None,
        max_steps: int = 500,
        stride: int = STRIDE,
    ) -> None:
        self.env_id = env_id or _env_of(runs)
        if not runs or max_steps < 1 or stride < 1:
            raise InvalidInput("nothing to show; give runs such as {'PPO': result}, max_steps and stride of at least 1")
        require_drawable(self.env_id)
        self._palette: Image.Image | None = None
        self.titles, self.reels = list(runs), list[Reel]()
        for title, run in runs.items():
            policy = getattr(run, "policy", run)
            if policy is not None and not isinstance(policy, nn.Module):
                raise InvalidInput(f"{title!r} is a {type(run).__name__}; give a Result, a policy, or None for random")
            self.reels.append(
                record(policy, self.env_id, seed=seed, max_steps=max_steps, stride=stride, keep=self._reduced)
            )
        self.fps = self.reels[0].fps

    def _reduced(self, picture: Image.Image) -> Image.Image:
        """The picture in the one palette of all reels, that of the first picture."""
        if self._palette is None:
            self._palette = picture.quantize(COLOURS)
            colours = (self._palette.getpalette() or [])[: 3 * COLOURS]
            colours += [0] * (3 * COLOURS - len(colours)) + [255, 255, 255, 0, 0, 0]
            self._palette.putpalette(colours)
        return picture.quantize(palette=self._palette, dither=Image.Dither.NONE)

    @property
    def length(self) -> int:
        """Pictures of the longest reel."""
        return max(len(reel.pictures) for reel in self.reels)

    def frame(self, number: int) -> Image.Image:
        """All agents at one moment; who has finished stays on the last picture."""
        width, height = self.reels[0].pictures[0].size
        columns = min(COLUMNS, len(self.reels))
        rows = -(-len(self.reels) // columns)
        whole = Image.new("P", (columns * width, rows * (height + CAPTION_HEIGHT)), WHITE)
        whole.putpalette(self.reels[0].pictures[0].getpalette() or [])
        for place, (title, reel) in enumerate(zip(self.titles, self.reels, strict=True)):
            left, top = place % columns * width, place // columns * (height + CAPTION_HEIGHT)
            last = min(number, len(reel.pictures) - 1)
            whole.paste(reel.pictures[last], (left, top + CAPTION_HEIGHT))
            over = " (over)" if number > last else ""
            words = f"{title}\nstep {reel.steps[last]}, return {reel.returns[last]:.0f}{over}"
            ImageDraw.Draw(whole).multiline_text((left + 6, top + 2), words, fill=BLACK, font=_font(), spacing=2)
        return whole

    def png(self, number: int) -> bytes:
        """One moment as PNG."""
        buffer = io.BytesIO()
        self.frame(number).save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()

    def gif(self) -> bytes:
        """All moments, at true speed, endless with a second's rest."""
        frames = [self.frame(number) for number in range(self.length)]
        delay = max(round(100 / self.fps), 2) * 10
        buffer = io.BytesIO()
        frames[0].save(
            buffer, "GIF", save_all=True, append_images=frames[1:], duration=[delay] * (len(frames) - 1) + [1000],
            loop=0, optimize=False,
        )  # fmt: skip
        return buffer.getvalue()

    def describe(self, number: int | None = None) -> str:
        """The agents in words, at one moment or at the end."""
        parts = []
        for title, reel in zip(self.titles, self.reels, strict=True):
            last = min(self.length if number is None else number, len(reel.pictures) - 1)
            parts.append(f"{title} at step {reel.steps[last]} with a return of {reel.returns[last]:.0f}")
        return f"{self.env_id} from one start state: {'; '.join(parts)}."


class Scrubber:
    """A gallery with a slider over time, and buttons to play and stop. Nothing moves before it is asked to."""

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        last = gallery.length - 1
        self.slider = ipywidgets.IntSlider(
            value=0, min=0, max=last, description="picture", layout={"width": "min(520px, 90%)"}
        )
        self.play = ipywidgets.Play(
            value=0, min=0, max=last, interval=round(1000 / gallery.fps), show_repeat=False, tooltip="Play and stop"
        )
        ipywidgets.jslink((self.play, "value"), (self.slider, "value"))  # in the browser: it plays with the kernel busy
        self.image = DescribedImage(
            value=gallery.png(0), format="png", tooltip=gallery.describe(0), layout=PICTURE_LAYOUT
        )
        self.text = ipywidgets.HTML(_status(gallery.describe(0)))
        self.slider.observe(self._move, names="value")
        self.box = ipywidgets.VBox([ipywidgets.HBox([self.play, self.slider]), self.text, self.image])

    def _move(self, change: Any) -> None:
        self.image.value = self.gallery.png(self.slider.value)
        self.image.tooltip = self.gallery.describe(self.slider.value)
        self.text.value = _status(self.image.tooltip)


def gallery(
    runs: Mapping[str, Any],
    seed: int,
    *,
    env_id: str | None = None,
    max_steps: int = 500,
    path: str | os.PathLike[str] | None = None,
    caption: str = "",
) -> None:
    """Show agents side by side: stages of training, algorithms, or seeds. Without a page to press in, as a GIF.

    Args: as of `Gallery`. path: where the GIF is written too. caption: what to look at.
    """
    recorded = Gallery(runs, seed, env_id=env_id, max_steps=max_steps)
    content = recorded.gif()
    if path is not None:
        atomic_write(Path(path), content)
    static = page.picture(content, "image/gif", alt=recorded.describe(), caption=caption)
    # A GIF cannot be stopped; what can be folded away can.
    static["text/html"] = (
        f"<details open><summary>Agents at work: fold to stop</summary>{static['text/html']}</details>"
    )
    if has_frontend():
        scrubber = Scrubber(recorded)
        if caption:
            scrubber.box.children = (*scrubber.box.children, ipywidgets.HTML(f"<p>{caption}</p>"))
        show_widget(scrubber.box, static)
    else:
        page.display(static, raw=True)


def _env_of(runs: Mapping[str, Any]) -> str:
    for run in runs.values():
        if hasattr(run, "config"):
            return str(run.config.env_id)
    raise InvalidInput("no run says its environment; give env_id, such as env_id='CartPole-v1'")


def _status(words: str) -> str:
    return f"<p role='status' style='line-height: 1.4; margin: 4px 0'>{words}</p>"


@functools.cache
def _font() -> Any:
    return ImageFont.load_default(size=14)
