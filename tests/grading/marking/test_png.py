"""Only whole PNG pictures have pixels."""

import io
import struct

import pytest
from PIL import Image

from pgcourse.grading.marking.png import pixels
from tests.grading.marking.desks import png


def test_pictures_of_ours_and_of_another_library_pass() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (30, 20), "red").save(file, "PNG")
    assert (pixels(png()), pixels(file.getvalue())) == (4, 600)


def test_a_picture_that_moves_has_the_pixels_of_all_its_frames() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    assert pixels(file.getvalue()) == 3 * 600


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>", png()[:-1], png() + b"<script>", png().replace(b"IDAT", b"IDAX"),
        png()[:8] + png()[33:], b"GIF89a", png()[:33] + struct.pack(">I", 2**31) + png()[37:],
    ],
)  # fmt: skip
def test_nothing_else_does(data: bytes) -> None:
    assert pixels(data) == 0
