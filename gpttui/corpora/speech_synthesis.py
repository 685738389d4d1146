"""A small speech synthesiser: a word and a voice in, a waveform out.

For: endless spoken words that nobody had to record. Not for: natural speech.
Idea: source and filter, as in Klatt (1980): harmonics of a falling pitch and noise, shaped by formants that glide
from one sound's targets to the next; a voice is a pitch, a length of vocal tract, a speed and a breathiness.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpttui.corpora.speech_sounds import Segment

RATE_HZ = 8000
STEP_S = 0.005
STEP_SAMPLES = int(RATE_HZ * STEP_S)
NOISE_FFT = 4 * STEP_SAMPLES
BANDWIDTHS_HZ = np.array([70.0, 100.0, 150.0, 250.0])
FOURTH_FORMANT_HZ = 3500.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks."""

    pitch_hz: float
    tract: float
    """Multiplies all formants: below 1 a longer vocal tract, above 1 a shorter one."""
    speed: float = 1.0
    breath: float = 0.0
    fall: float = 0.2
    """By which part the pitch falls from the word's beginning to its end."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Voice":
        """Anybody from a deep man to a child: higher voices tend to have shorter vocal tracts."""
        height = rng.uniform()
        return cls(
            pitch_hz=float(85 * 3.2**height),
            tract=float(0.9 + 0.28 * height + rng.uniform(-0.05, 0.05)),
            speed=float(rng.uniform(0.9, 1.2)),
            breath=float(rng.uniform(0, 0.06)),
            fall=float(rng.uniform(0.05, 0.3)),
        )


def speak(segments: tuple[Segment, ...], voice: Voice, rng: np.random.Generator) -> Array:
    """The waveform [samples] at 8 kHz of a word, peak 0.5; `rng` makes the noise and the little irregularities."""
    steps = [max(2, round(s.duration_ms * rng.uniform(0.85, 1.15) / 1000 / voice.speed / STEP_S)) for s in segments]
    edge = 4
    formants = np.array([(*s.formants_hz, FOURTH_FORMANT_HZ) for s in segments])
    formants *= voice.tract * rng.uniform(0.97, 1.03, formants.shape)
    levels = np.array([(s.voice, s.breath + voice.breath * s.voice, s.noise) for s in segments])
    bands = np.array([(s.noise_centre_hz * voice.tract**0.5, s.noise_width_hz) for s in segments])
    formant_track = _glide(np.repeat(formants, steps, axis=0), width=9, edge=edge)
    level_track = _glide(np.repeat(levels, steps, axis=0), width=3, edge=edge, silent=True)
    band_track = _glide(np.repeat(bands, steps, axis=0), width=1, edge=edge)
    moment = np.linspace(0, 1, len(formant_track))
    pitch = voice.pitch_hz * (1 + voice.fall / 2 - voice.fall * moment)
    harmonic_hz = pitch[:, None] * np.arange(1, int(RATE_HZ / 2 / pitch.min()) + 1)
    # a voice falls by 12 dB an octave and the lips give 6 back
    amplitudes = level_track[:, :1] * _resonance(harmonic_hz, formant_track) * 100 / harmonic_hz
    bins_hz = np.fft.rfftfreq(NOISE_FFT, 1 / RATE_HZ)
    through = _resonance(np.broadcast_to(bins_hz, (len(pitch), len(bins_hz))), formant_track)
    own = np.exp(-0.5 * ((bins_hz - band_track[:, :1]) / (band_track[:, 1:] / 2)) ** 2)
    magnitudes = 0.25 * level_track[:, 1:2] * through + level_track[:, 2:] * own
    wave = harmonics(amplitudes, pitch) + noise(magnitudes, rng)
    wave *= 0.5 / np.abs(wave).max()
    return wave


def harmonics(amplitudes: Array, pitch_hz: Array) -> Array:
    """The sum [steps * 40] of the harmonics of `pitch_hz` [steps] with `amplitudes` [steps, harmonic].

    Harmonics above half the sampling rate are left out.
    """
    steps = len(pitch_hz)
    at = (np.arange(steps * STEP_SAMPLES) + 0.5) / STEP_SAMPLES - 0.5
    moment = np.arange(steps)
    turn = np.exp(2j * np.pi * np.cumsum(np.interp(at, moment, pitch_hz)) / RATE_HZ)
    wave = np.zeros(len(at))
    rotating = np.ones(len(at), dtype=complex)
    for number in range(1, amplitudes.shape[1] + 1):
        rotating *= turn
        audible = amplitudes[:, number - 1] * (pitch_hz * number < RATE_HZ / 2)
        wave += np.interp(at, moment, audible) * rotating.imag
    return wave


def noise(magnitudes: Array, rng: np.random.Generator) -> Array:
    """Noise [steps * 40] whose spectrum at each step is `magnitudes` [steps, NOISE_FFT // 2 + 1]."""
    steps = len(magnitudes)
    window = np.hanning(NOISE_FFT + 1)[:-1]
    grains = np.fft.irfft(np.fft.rfft(rng.standard_normal((steps, NOISE_FFT)), axis=1) * magnitudes, axis=1)
    wave = np.zeros((steps + 3) * STEP_SAMPLES)
    for step, grain in enumerate(grains * window):
        wave[step * STEP_SAMPLES : step * STEP_SAMPLES + NOISE_FFT] += grain
    middle = (NOISE_FFT - STEP_SAMPLES) // 2
    return wave[middle : middle + steps * STEP_SAMPLES]


def _resonance(frequencies_hz: Array, formants_hz: Array) -> Array:
    """The gain [steps, frequency] of resonators in a row, with formants [steps, formant]."""
    gain = np.ones(frequencies_hz.shape)
    square = frequencies_hz**2
    for formant, bandwidth in zip(formants_hz.T[:, :, None], BANDWIDTHS_HZ, strict=True):
        gain *= formant**2 / np.sqrt((formant**2 - square) ** 2 + bandwidth**2 * square)
    return gain


def _glide(track: Array, *, width: int, edge: int, silent: bool = False) -> Array:
    """A track [steps, parameter] smoothed over `width` steps, with `edge` more steps at either end."""
    padded = np.pad(track, ((edge, edge), (0, 0)), mode="constant" if silent else "edge")
    if width == 1:
        return padded
    window = np.hanning(width + 2)[1:-1]
    around = np.pad(padded, ((width // 2, width // 2), (0, 0)), mode="edge")
    columns = [np.convolve(column, window / window.sum(), mode="valid") for column in around.T]
    return np.stack(columns, axis=1)
