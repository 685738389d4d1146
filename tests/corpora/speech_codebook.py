"""How the shipped codebook of sounds (gpttui/corpora/speech_codebook.npz) was made."""

import numpy as np

from gpttui.corpora.speech_codes import BANDS, CODES, Array, features
from gpttui.corpora.speech_sounds import words
from gpttui.corpora.speech_synthesis import Voice, speak


def learn_codebook(voices: int = 24) -> Array:
    """The codebook [code, 25] learnt from what the first training voices say."""
    frames = []
    for index, segments in enumerate(words().values()):
        for voice in range(voices):
            speaker = Voice.random(np.random.default_rng(voice))
            frames.append(features(speak(segments, speaker, np.random.default_rng([voice, 0, index]))))
    return train_codebook(np.concatenate(frames))


def train_codebook(frames: Array, seed: int = 0, rounds: int = 30) -> Array:
    """K-means [CODES, 25] over frames [frame, 25], quietest first; the seed picks the frames it starts from."""
    rng = np.random.default_rng(seed)
    book: Array = frames[rng.choice(len(frames), CODES, replace=False)]
    for _ in range(rounds):
        nearest = ((book**2).sum(1) - 2 * frames @ book.T).argmin(1)
        for code in range(CODES):
            members = frames[nearest == code]
            book[code] = members.mean(0) if len(members) else frames[rng.integers(len(frames))]
    quietest_first: Array = book[(10 ** (book[:, :BANDS] / 10)).sum(1).argsort()]
    return quietest_first
