"""Is what the model says understood, by itself and by a judge that knows nothing of GPTs?"""

from collections.abc import Iterable

from gpttui.corpora import speech, speech_codes
from gpttui.corpora.speech_sounds import words
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.records import Sampling

LONGEST_WORD = 60
TEMPERATURE = 0.5


def evaluate(subject: Subject, n: int, seed: int) -> Metrics:
    """Shares of words understood.

    `heard`: spoken by held-out voices, written rightly by `hear:`; `heard_itself`: the same of what it spoke itself;
    `recognised`: what it spoke, named rightly by the template matcher; `matcher_on_real`: the matcher's own score.
    """
    hear, real = [], []
    for document in speech.documents(seed):
        if document.startswith(speech.HEAR):
            codes, _, word = document.removeprefix(speech.HEAR).partition(speech.MARKER)
            hear.append(codes)
            real.append(word)
        if len(hear) == n:
            break
    vocabulary = list(words())
    asked = [vocabulary[i % len(vocabulary)] for i in range(n)]
    prompts = [f"{speech.SAY}{word}{speech.MARKER}" for word in asked]
    spoken = subject.complete(prompts, LONGEST_WORD, sampling=Sampling(TEMPERATURE), seed=seed)
    return {
        "heard": share(written(subject, hear), real),
        "heard_itself": share(written(subject, spoken), asked),
        "recognised": share(map(recognised, spoken), asked),
        "matcher_on_real": share(map(recognised, hear), real),
    }


def written(subject: Subject, spoken: list[str]) -> list[str]:
    """The words that the model hears in codes."""
    return subject.complete([f"{speech.HEAR}{codes}{speech.MARKER}" for codes in spoken], LONGEST_WORD)


def recognised(codes: str) -> str:
    """The word that the template matcher finds in codes."""
    return speech.recognise(speech_codes.codes_of(codes))


def share(given: Iterable[str], right: list[str]) -> float:
    """Share of answers that are right."""
    return sum(a == b for a, b in zip(given, right, strict=True)) / len(right)
