"""Only whole PNG pictures of a reasonable size pass."""

import io
import struct
import zlib

import pytest
from PIL import Image

from pgcourse.grading.marking.png import is_png
from tests.grading.marking.desks import png


def test_pictures_of_ours_and_of_another_library_pass() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (30, 20), "red").save(file, "PNG")
    assert is_png(png()) and is_png(file.getvalue())


def bomb() -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    whole = png()
    return whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>", png()[:-1], png() + b"<script>", png().replace(b"IDAT", b"IDAX"),
        png()[:8] + png()[33:], bomb(), b"GIF89a", png()[:33] + struct.pack(">I", 2**31) + png()[37:],
    ],
)  # fmt: skip
def test_nothing_else_does(data: bytes) -> None:
    assert not is_png(data)
