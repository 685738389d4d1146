"""Handwritten digits as text: `digit 7:` and then 64 grey levels, row by row, one character each.

For: seeing a GPT paint a picture one pixel at a time. Not for: pictures larger than 8x8.
Idea: Image GPT (Chen et al., 2020). Data: scikit-learn's copy of "Optical Recognition of Handwritten Digits"
(Alpaydin and Kaynak, UCI, CC BY 4.0), 1,797 pictures of 17 grey levels. Training sees a fixed share of them,
each time shifted a little, blended with a near neighbour of the same class, and lightened or darkened;
held-out documents are the remaining pictures as they are.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from gpttui.corpora.splits import is_held_out_seed
from gpttui.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 8
GREYS = ".,'`-~^\";=!+*%&#@"
"""One character a grey level, from empty (0) to full (16); none of them occurs in `digit 7:`."""
TRAINING_PICTURES = 1500
NEIGHBOURS = 6


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`digit 7:` and 64 characters of GREYS. Raises UserError where scikit-learn is missing."""
    rng = random.Random(seed)
    held_out = is_held_out_seed(seed)
    pictures, labels = load_pictures(held_out=held_out)
    neighbours = None if held_out else _same_class_neighbours()
    yielded = 0
    while n is None or yielded < n:
        order = list(range(len(pictures)))
        rng.shuffle(order)
        for index in order:
            if yielded == n:
                return
            picture = pictures[index]
            if neighbours is not None:
                picture = _vary(picture, pictures[rng.choice(neighbours[index])], rng)
            yield f"{prompt(labels[index])}{text_of(picture)}"
            yielded += 1


def prompt(digit: int) -> str:
    """The text that asks for a picture: `digit 7:`."""
    return f"digit {digit}:"


def text_of(pixels: NDArray[np.float64]) -> str:
    """The characters of pixels [8, 8] with values 0..16, which are rounded to whole grey levels."""
    return "".join(GREYS[int(level)] for level in pixels.round().clip(0, len(GREYS) - 1).ravel())


def pixels_of(text: str) -> NDArray[np.float64]:
    """The picture [8, 8], values 0..16, in a document, or in its pixels alone. Missing pixels are empty."""
    import numpy as np

    levels = [GREYS.index(character) for character in text.rpartition(":")[2] if character in GREYS]
    pixels = np.zeros(SIDE * SIDE)
    pixels[: len(levels)] = levels[: SIDE * SIDE]
    return pixels.reshape(SIDE, SIDE)


@cache
def load_pictures(*, held_out: bool) -> tuple[NDArray[np.float64], list[int]]:
    """Pictures [picture, 8, 8] with values 0..16 and their digits, of one side of the split.

    Training has 1,500 of them, picked by a stable hash of the pixels; the other 297 are held out.
    Raises UserError where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UserError("the digits corpus needs scikit-learn: run `pip install scikit-learn`") from error
    bunch = load_digits()
    order = sorted(range(len(bunch.images)), key=lambda i: (zlib.crc32(bunch.images[i].astype("u1").tobytes()), i))
    chosen = sorted(order[TRAINING_PICTURES:] if held_out else order[:TRAINING_PICTURES])
    return bunch.images[chosen], [int(bunch.target[i]) for i in chosen]


@cache
def _same_class_neighbours() -> list[list[int]]:
    import numpy as np

    pictures, labels = load_pictures(held_out=False)
    flat = pictures.reshape(len(pictures), -1)
    squares = (flat**2).sum(1)
    distance = squares[:, None] + squares[None] - 2 * flat @ flat.T
    distance[np.array(labels)[:, None] != np.array(labels)[None]] = np.inf
    nearest: list[list[int]] = distance.argsort(1, kind="stable")[:, 1 : NEIGHBOURS + 1].tolist()
    return nearest


def _vary(picture: NDArray[np.float64], neighbour: NDArray[np.float64], rng: random.Random) -> NDArray[np.float64]:
    """A picture near this one: blended, moved by less than a pixel and scaled in brightness."""
    import numpy as np

    if rng.random() < 0.5:
        blend = rng.uniform(0.0, 0.5)
        picture = (1 - blend) * picture + blend * neighbour
    if rng.random() < 0.5:
        shift, axis = rng.uniform(-0.5, 0.5), 1 if rng.random() < 0.75 else 0
        moved = np.roll(picture, 1 if shift > 0 else -1, axis=axis)
        edge = 0 if shift > 0 else SIDE - 1
        moved[(slice(None), edge) if axis else edge] = 0.0
        picture = (1 - abs(shift)) * picture + abs(shift) * moved
    return picture * rng.uniform(0.9, 1.1)
