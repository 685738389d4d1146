"""Spoken words as text: `say: seven = ⠠⢉⢉…` speaks, `hear: ⠠⢉⢉… = seven` listens.

For: a GPT that turns text into voice and voice into text with nothing but next-token prediction: each 20 ms of
sound is one of 96 characters. Not for: sentences, or voices of real people.
Every document has a voice of its own: 200 voices are spoken in training, held-out documents are all spoken by
others. The sounds come from `speech_synthesis.py`, the characters from `speech_codes.py`.
"""

import random
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import count, islice

import numpy as np

from gpttui.corpora.speech_codes import encode, features, spectrogram
from gpttui.corpora.speech_sounds import words
from gpttui.corpora.speech_synthesis import Array, Voice, speak
from gpttui.corpora.splits import is_held_out_seed

TRAINING_VOICES = 200
TAKES = 4
HELD_OUT_VOICES_FROM = 1_000_000
SAY, HEAR, MARKER = "say: ", "hear: ", " = "
_TEMPLATE_VOICES = tuple(Voice(pitch, tract) for pitch, tract in ((95, 0.9), (130, 1.0), (190, 1.1), (250, 1.18)))


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`say: word = codes` and `hear: codes = word` in equal parts; other voices for seeds from 1,000,000 up."""
    rng = random.Random(seed)
    vocabulary = list(words())
    for _ in islice(count(), n):
        word, take = rng.choice(vocabulary), rng.randrange(TAKES)
        voice = rng.randrange(TRAINING_VOICES)
        if is_held_out_seed(seed):
            voice = HELD_OUT_VOICES_FROM + rng.randrange(HELD_OUT_VOICES_FROM)
        codes = spoken(word, voice, take)
        yield f"{SAY}{word}{MARKER}{codes}" if rng.random() < 0.5 else f"{HEAR}{codes}{MARKER}{word}"


@lru_cache(maxsize=len(words()) * TRAINING_VOICES * TAKES)
def spoken(word: str, voice: int, take: int) -> str:
    """The codes of a word as one of endlessly many voices says it, a little differently in each take."""
    speaker = Voice.random(np.random.default_rng(voice))
    index = list(words()).index(word)
    return encode(speak(words()[word], speaker, np.random.default_rng([voice, take, index])))


def recognise(codes: list[int]) -> str:
    """The word whose clean rendering is nearest by dynamic time warping; empty for no codes.

    A plain template matcher (Sakoe and Chiba, 1978) that knows nothing of any GPT.
    """
    if not codes:
        return ""
    heard = spectrogram(codes).T
    names, templates, lengths = _templates()
    local = np.abs(heard[:, None, None] - templates).mean(-1)
    template_count, longest = templates.shape[:2]
    cost = np.full((template_count, longest + 1), np.inf)
    cost[:, 0] = 0.0
    for frame in local:
        previous, cost = cost, np.full_like(cost, np.inf)
        for position in range(longest):
            best = np.minimum(np.minimum(previous[:, position], previous[:, position + 1]), cost[:, position])
            cost[:, position + 1] = frame[:, position] + best
    total = cost[np.arange(template_count), lengths] / (len(codes) + lengths)
    return names[int(total.argmin())]


@cache
def _templates() -> tuple[list[str], Array, Array]:
    """Names, log-mel frames [template, frame, band], and lengths of clean renderings of every word."""
    names, frames = [], []
    for word, segments in words().items():
        for voice in _TEMPLATE_VOICES:
            names.append(word)
            frames.append(features(speak(segments, voice, np.random.default_rng(0)))[:, :-1])
    templates = np.zeros((len(names), max(map(len, frames)), frames[0].shape[1]))
    for template, rows in zip(templates, frames, strict=True):
        template[: len(rows)] = rows
    return names, templates, np.array([len(rows) for rows in frames])
