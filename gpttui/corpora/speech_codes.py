"""Sound as characters: each 20 ms of a waveform becomes one of 96 codes, written as a braille pattern.

For: going from waveforms to text and back. Not for: telling who speaks: pitch is not coded.
Idea: the codebook of a vector quantiser (as in VQ-VAE and EnCodec), here plain k-means over log-mel spectra. Louder
codes have more dots, so that even the bare text shows where a word is loud.
"""

import io
import wave
from functools import cache
from importlib.resources import files

import numpy as np

from gpttui.corpora.speech_synthesis import NOISE_FFT, RATE_HZ, STEP_SAMPLES, Array, harmonics, noise

FRAME_S = 0.02
HOP = int(RATE_HZ * FRAME_S)
FFT = 256
BANDS = 24
CODES = 96
FLOOR_DB = -50.0
VOICING_WEIGHT_DB = 20.0
"""How much of a difference in loudness counts as much as that between a voiced and a voiceless frame."""

_PATTERNS = sorted(range(1, 256), key=lambda dots: (dots.bit_count(), dots))
CHARACTERS = "".join(chr(0x2800 + _PATTERNS[index * len(_PATTERNS) // CODES]) for index in range(CODES))
"""The character of each code."""


def features(samples: Array) -> Array:
    """Frames [frame, 25] of a waveform: 24 mel bands in dB below the loudest, then how voiced it is, 0..20."""
    count = max(1, 1 + (len(samples) - HOP) // HOP)
    padded = np.pad(samples, ((FFT - HOP) // 2, FFT))
    frames = np.stack([padded[index * HOP : index * HOP + FFT] for index in range(count)])
    power = np.abs(np.fft.rfft(frames * np.hanning(FFT), axis=1)) ** 2
    decibels = 10 * np.log10(power @ mel_weights().T + 1e-12)
    decibels = np.maximum(decibels - decibels.max(), FLOOR_DB)
    return np.concatenate([decibels, VOICING_WEIGHT_DB * _voicing(frames)[:, None]], axis=1)


def encode(samples: Array) -> str:
    """The codes of a waveform at 8 kHz, one character each 20 ms."""
    frames, book = features(samples), codebook()
    distance = (book**2).sum(1) - 2 * frames @ book.T
    return "".join(CHARACTERS[index] for index in distance.argmin(1))


def codes_of(text: str) -> list[int]:
    """The codes among the characters of a document, or of the codes alone."""
    return [code for code in map(CHARACTERS.find, text) if code >= 0]


def spectrogram(codes: list[int]) -> Array:
    """Loudness [band, frame] in dB below the loudest, low frequencies first."""
    return codebook()[codes, :BANDS].T.copy()


def waveform(codes: list[int], *, pitch_hz: float = 120.0) -> Array:
    """Samples at 8 kHz: harmonics where the codes are voiced, noise where not, shaped by their mel bands."""
    if not codes:
        return np.zeros(HOP)
    book = codebook()[codes]
    steps = len(codes) * HOP // STEP_SAMPLES
    at = (np.arange(steps) + 0.5) * STEP_SAMPLES / HOP - 0.5
    frames = np.stack([np.interp(at, np.arange(len(codes)), column) for column in book.T], axis=1)
    voiced = np.clip(frames[:, BANDS] / VOICING_WEIGHT_DB * 1.6 - 0.4, 0, 1)[:, None]
    audible = np.where(frames[:, :BANDS] > FLOOR_DB + 5, frames[:, :BANDS], -90.0)
    # a mel band sums power over its width, a harmonic has it all to itself, a noise bin has its share
    level = audible - 10 * np.log10(mel_weights().sum(1))
    pitch = pitch_hz * np.linspace(1.1, 0.9, steps)
    harmonic_hz = pitch[:, None] * np.arange(1, int(RATE_HZ / 2 / pitch.min()) + 1)
    tone = 10 ** (_at_frequencies(level, harmonic_hz) / 20) * np.sqrt(voiced) * np.sqrt(pitch_hz / 100)
    bins_hz = np.broadcast_to(np.fft.rfftfreq(NOISE_FFT, 1 / RATE_HZ), (steps, NOISE_FFT // 2 + 1))
    hiss = 10 ** (_at_frequencies(level, bins_hz) / 20) * np.sqrt(1 - voiced) * 0.5
    samples = harmonics(tone, pitch) + noise(hiss, np.random.default_rng(0))
    samples *= 0.8 / max(float(np.abs(samples).max()), 1e-9)
    return samples


def wav_bytes(codes: list[int], *, pitch_hz: float = 120.0) -> bytes:
    """A WAV file, mono, 16 bits, 8 kHz, of the sound that the codes stand for."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((waveform(codes, pitch_hz=pitch_hz) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@cache
def codebook() -> Array:
    """The codebook [code, 25] in the units of `features`, quietest code first."""
    with np.load(str(files(__package__) / "speech_codebook.npz")) as archive:
        return np.asarray(archive["codebook"], dtype=np.float64)


@cache
def mel_weights() -> Array:
    """Triangular filters [band, bin] whose centres are evenly spaced in mel between 100 Hz and 3,900 Hz."""
    edges_hz = _mel_edges_hz()
    bins_hz = np.fft.rfftfreq(FFT, 1 / RATE_HZ)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    return np.clip(np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)), 0, None)


def _mel_edges_hz() -> Array:
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (60.0, 3990.0))
    edges: Array = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    return edges


def _at_frequencies(level_db: Array, frequencies_hz: Array) -> Array:
    """`level_db` [step, band] read at `frequencies_hz` [step, frequency], linear between the bands' centres."""
    centres = _mel_edges_hz()[1:-1]
    rows = zip(frequencies_hz, level_db, strict=True)
    return np.stack([np.interp(wanted, centres, level) for wanted, level in rows])


def _voicing(frames: Array) -> Array:
    """How periodic each frame [frame, FFT] is, 0..1: the peak of its autocorrelation between 70 and 400 Hz."""
    centred = (frames - frames.mean(1, keepdims=True)) * np.hanning(FFT)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * FFT, axis=1)) ** 2, axis=1)
    taper = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FFT), 2 * FFT)) ** 2)
    lags = slice(RATE_HZ // 400, RATE_HZ // 70)
    peak = (correlation[:, lags] / taper[lags]).max(1) * taper[0]
    loud = correlation[:, 0] > 1e-4 * correlation[:, 0].max()
    voicing: Array = np.clip(peak / (correlation[:, 0] + 1e-12), 0, 1) * loud
    return voicing
