"""The sounds and words that the synthesiser can speak.

For: plain tables. Not for: signal processing (`speech_synthesis.py`).
Source: vowel formants of men from Peterson and Barney (1952); consonants after Klatt's cascade/parallel
synthesiser (1980), simplified to what survives at 8 kHz.
"""

from dataclasses import dataclass
from functools import cache

from gpttui.corpora import tables

_TABLES = tables.read("speech")

# sound | segments: ms F1 F2 F3 voice [breath [noise centre width]]; Hz, and amplitudes from 0 to 1.
# Breath is noise through the formants, noise has a band of its own; a stop is a silence, a burst and some breath.
_SOUNDS = _TABLES["SOUNDS"]

_WORDS = _TABLES["WORDS"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a sound and what the vocal tract aims at during it."""

    duration_ms: float
    formants_hz: tuple[float, float, float]
    voice: float
    breath: float = 0.0
    noise: float = 0.0
    noise_centre_hz: float = 2500.0
    noise_width_hz: float = 2500.0


@cache
def sounds() -> dict[str, tuple[Segment, ...]]:
    """The segments of each sound, by its ARPAbet name."""
    table = {}
    for line in _SOUNDS.strip().splitlines():
        name, segments = line.split(" | ")
        table[name] = tuple(_segment([float(part) for part in text.split()]) for text in segments.split("; "))
    return table


@cache
def words() -> dict[str, tuple[Segment, ...]]:
    """The segments of each word, in the order in which they are spoken."""
    table = {}
    for line in _WORDS.strip().splitlines():
        word, *names = line.split()
        table[word] = tuple(segment for name in names for segment in sounds()[name])
    return table


def _segment(numbers: list[float]) -> Segment:
    duration, first, second, third, *amplitudes = numbers
    return Segment(duration, (first, second, third), *amplitudes)
