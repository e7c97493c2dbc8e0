"""The picture that other pages show beside a link to the site: 1200 by 630 pixels, from the film in docs/."""

import io
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)
INK, MUTED, PAPER, LINE = "#1b1f24", "#57606a", "#ffffff", "#0072B2"
TITLE, LINES = "pgcourse", ("Policy gradients,", "from the first line", "to the last bug")


def preview(film: Path) -> bytes:
    """PNG of the title beside the trained agent: the right half of the middle picture of `film`, without its caption."""
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 14, SIZE[1]), fill=LINE)
    with Image.open(film) as frames:
        frames.seek(frames.n_frames // 2)
        frame = frames.convert("RGB").crop((frames.width // 2, 0, frames.width, round(0.93 * frames.height)))
    width = 560
    frame = frame.resize((width, round(frame.height * width / frame.width)), Image.Resampling.LANCZOS)
    image.paste(frame, (SIZE[0] - width - 40, (SIZE[1] - frame.height) // 2))
    draw.text((70, 120), TITLE, fill=INK, font=_font(92, "bold"))
    for row, words in enumerate(LINES):
        draw.text((72, 262 + 62 * row), words, fill=MUTED, font=_font(46, "normal"))
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def _font(size: int, weight: str) -> ImageFont.FreeTypeFont:
    """The font that comes with Matplotlib, so that every machine draws the same."""
    path = font_manager.findfont(font_manager.FontProperties(family="DejaVu Sans", weight=weight))
    return ImageFont.truetype(path, size)
