"""Pictures and sounds that a model wrote as tokens, as files that other programs open.

For: `gpttui generate --out`. Not for: drawing them on the screen (`gpttui.tui.renderables`).
"""

import struct
import zlib
from pathlib import Path

from gpttui.errors import UserError
from gpttui.records import Array

ENLARGED = 16
"""Pixels of the PNG for each pixel of a digit."""
SUFFIX_OF_VIEW = {"digits": ".png", "speech": ".wav"}


def check_target(file: Path, token_view: str, model: str) -> None:
    """Raises UserError where a model of this token view writes nothing that fits into `file`."""
    wanted = SUFFIX_OF_VIEW.get(token_view)
    if wanted is None:
        raise UserError(f"{model} writes text, not pictures or sounds; without --out it goes to stdout")
    if file.suffix.lower() != wanted:
        raise UserError(f"{model} writes {token_view}: give --out a name that ends in {wanted}")


def write(file: Path, token_view: str, text: str) -> str:
    """Write what `text` draws or says to `file`; returns in words what it is.

    Raises UserError where there is nothing in the text, OSError where the file cannot be written.
    """
    if token_view == "digits":
        from gpttui.corpora import digits

        drawn = sum(char in digits.GREYS for char in text.rpartition(":")[2])
        if not drawn:
            raise UserError(f"the text has no pixels; ask for some: --prompt {digits.prompt(7)!r}")
        levels = digits.pixels_of(text) / (len(digits.GREYS) - 1)
        file.write_bytes(png_bytes(levels.repeat(ENLARGED, 0).repeat(ENLARGED, 1)))
        return f"{min(drawn, digits.SIDE**2)} of {digits.SIDE**2} pixels"
    from gpttui.corpora import speech_codes

    codes = speech_codes.codes_of(text)
    if not codes:
        raise UserError("the text has no sounds; ask for some: --prompt 'say: seven = '")
    file.write_bytes(speech_codes.wav_bytes(codes))
    return f"{len(codes) * speech_codes.FRAME_S:.2f} s of sound"


def png_bytes(grey: Array) -> bytes:
    """A greyscale PNG of levels `[row, column]` from 0 (black) to 1 (white). Format: https://www.w3.org/TR/png-3."""
    pixels = (grey.clip(0, 1) * 255).round().astype("u1")
    height, width = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
