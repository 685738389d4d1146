"""The sounds and words that the synthesiser can speak.

For: plain tables. Not for: signal processing (`speech_synthesis.py`).
Source: vowel formants of men from Peterson and Barney (1952); consonants after Klatt's cascade/parallel
synthesiser (1980), simplified to what survives at 8 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

# sound | segments: ms F1 F2 F3 voice [breath [noise centre width]]; Hz, and amplitudes from 0 to 1.
# Breath is noise through the formants, noise has a band of its own; a stop is a silence, a burst and some breath.
_SOUNDS = """
IY | 150 270 2290 3010 1
IH | 110 390 1990 2550 1
EH | 130 530 1840 2480 1
AE | 160 660 1720 2410 1
AH | 130 640 1190 2390 1
AA | 150 730 1090 2440 1
AO | 160 570 840 2410 1
UH | 100 440 1020 2240 1
UW | 160 300 870 2240 1
ER | 170 490 1350 1690 1
AX | 80 500 1400 2500 .8
EY | 90 530 1840 2480 1; 90 280 2250 2950 1
AY | 120 730 1090 2440 1; 90 330 2100 2700 1
AW | 120 730 1150 2440 1; 90 350 850 2240 1
OW | 100 530 900 2400 1; 90 340 850 2240 1
W | 70 300 650 2200 .6
Y | 70 260 2250 3000 .6
R | 80 340 1100 1450 .7
L | 80 360 1050 2700 .6
M | 90 260 950 2200 .35
N | 90 260 1600 2600 .35
S | 120 320 1700 2600 0 0 .35 3600 900
Z | 90 280 1700 2600 .3 0 .25 3600 900
SH | 130 320 1800 2400 0 0 .4 2600 800
F | 100 320 1000 2300 0 0 .08 2500 2500
TH | 100 320 1400 2600 0 0 .08 3600 1500
V | 70 280 1000 2300 .3 0 .04 2500 2500
HH | 70 500 1400 2400 0 .3
P | 60 300 900 2200 0; 15 300 900 2200 0 0 .2 700 500; 30 400 1000 2300 0 .15
T | 60 300 1800 2700 0; 15 300 1800 2700 0 0 .35 3500 800; 30 400 1700 2600 0 .15
K | 60 300 2000 2300 0; 20 300 2000 2300 0 0 .3 1900 500; 35 400 1900 2400 0 .15
B | 50 220 900 2200 .08; 12 250 900 2200 .2 0 .15 700 500
D | 50 220 1800 2700 .08; 12 250 1800 2700 .2 0 .25 3300 800
G | 50 220 2000 2300 .08; 15 250 2000 2300 .2 0 .2 1800 500
"""

_WORDS = """
zero Z IH R OW
one W AH N
two T UW
three TH R IY
four F AO R
five F AY V
six S IH K S
seven S EH V AX N
eight EY T
nine N AY N
ten T EH N
red R EH D
green G R IY N
blue B L UW
black B L AE K
white W AY T
yellow Y EH L OW
cat K AE T
dog D AO G
bird B ER D
fish F IH SH
horse HH AO R S
mouse M AW S
sheep SH IY P
lion L AY AX N
yes Y EH S
no N OW
hello HH AX L OW
goodbye G UH D B AY
stop S T AA P
left L EH F T
right R AY T
up AH P
moon M UW N
water W AO T ER
music M Y UW Z IH K
"""


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
