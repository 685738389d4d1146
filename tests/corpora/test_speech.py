"""Spoken words: what the synthesiser says is heard, coded, drawn and written as a WAV file."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from gpttui.corpora import speech
from gpttui.corpora.speech_codes import (
    BANDS,
    CHARACTERS,
    CODES,
    FLOOR_DB,
    HOP,
    codebook,
    codes_of,
    encode,
    features,
    spectrogram,
    wav_bytes,
    waveform,
)
from gpttui.corpora.speech_sounds import words
from gpttui.corpora.speech_synthesis import RATE_HZ, Voice, harmonics, speak
from gpttui.corpora.splits import HELD_OUT_FROM_SEED
from tests.corpora.speech_codebook import learn_codebook


@pytest.fixture(scope="module")
def held_out() -> list[str]:
    return list(speech.documents(HELD_OUT_FROM_SEED, 200))


def test_documents_say_and_hear_every_word_in_few_codes(held_out: list[str]) -> None:
    said = set()
    for document in held_out:
        word, codes = _word_and_codes(document)
        said.add(word)
        assert 8 <= len(codes) <= 40
        form = f"say: {word} = {codes}" if document.startswith("say") else f"hear: {codes} = {word}"
        assert document == form and set(codes) <= set(CHARACTERS)
    assert said == set(words()) and 20 <= len(said) <= 40


def test_characters_are_one_cell_wide_and_louder_codes_have_more_dots() -> None:
    assert len(set(CHARACTERS)) == CODES and all(0x2800 < ord(character) <= 0x28FF for character in CHARACTERS)
    dots = [ord(character).bit_count() for character in CHARACTERS]
    loudness = (10 ** (codebook()[:, :BANDS] / 10)).sum(1)
    assert (np.diff(loudness) >= 0).all() and dots[0] < dots[-1]
    assert [CHARACTERS.index(character) for character in CHARACTERS] == codes_of(f"say: no = {CHARACTERS}")


def test_held_out_voices_are_recognised_by_the_template_matcher(held_out: list[str]) -> None:
    spoken = [_word_and_codes(document) for document in held_out[:60]]
    right = sum(speech.recognise(codes_of(codes)) == word for word, codes in spoken)
    assert right >= 58
    assert speech.recognise([]) == ""


def test_held_out_voices_are_no_training_voices() -> None:
    training = {Voice.random(np.random.default_rng(voice)) for voice in range(speech.TRAINING_VOICES)}
    others = {Voice.random(np.random.default_rng(speech.HELD_OUT_VOICES_FROM + voice)) for voice in range(200)}
    assert len(training) == speech.TRAINING_VOICES and not training & others


def test_the_shipped_codebook_is_as_good_as_one_learnt_now(held_out: list[str]) -> None:
    rng = np.random.default_rng(7)
    frames = np.concatenate([features(speak(segments, Voice(120, 1.0), rng)) for segments in words().values()])

    def error(book: np.ndarray) -> float:
        return float(((frames[:, None] - book) ** 2).sum(-1).min(1).mean())

    assert error(codebook()) < 1.1 * error(learn_codebook(voices=24))


def test_a_resynthesised_word_is_still_that_word() -> None:
    for word in ("seven", "goodbye", "fish", "moon"):
        codes = codes_of(speech.spoken(word, 3, 0))
        assert speech.recognise(codes_of(encode(waveform(codes, pitch_hz=110)))) == word


def test_the_spectrogram_has_bands_by_frames_and_moves_its_peak() -> None:
    codes = codes_of(speech.spoken("six", 5, 0))
    picture = spectrogram(codes)
    assert picture.shape == (BANDS, len(codes)) and picture.min() >= FLOOR_DB - 1 and picture.max() <= 1
    hiss, vowel = picture[:, 2], picture[:, len(codes) // 3]
    assert hiss.argmax() > BANDS // 2 > vowel.argmax()


def test_a_wav_file_holds_20_ms_a_code() -> None:
    codes = codes_of(speech.spoken("yes", 0, 0))
    with wave.open(io.BytesIO(wav_bytes(codes))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert len(samples) == len(codes) * HOP and np.abs(samples).max() > 20000
    with wave.open(io.BytesIO(wav_bytes([]))) as file:
        assert not any(file.readframes(file.getnframes()))


def test_harmonics_have_the_pitch_asked_for() -> None:
    tone = harmonics(np.ones((200, 1)), np.full(200, 440.0))
    assert abs(np.abs(np.fft.rfft(tone)).argmax() * RATE_HZ / len(tone) - 440) < 2


def _word_and_codes(document: str) -> tuple[str, str]:
    left, right = document.partition(": ")[2].split(" = ")
    return (left, right) if document.startswith("say") else (right, left)
