"""Plain sentences and short exchanges: what things are, do, have and are made of, who gave what to whom, greetings.

Not for: stories (`tales`).
"""

from collections.abc import Iterator
from itertools import count

from gpttui.corpora.everyday.speaker import TENSES, Speaker
from gpttui.corpora.everyday.table import weighted
from gpttui.corpora.tales.chooser import Chooser


def tell(draw: Chooser) -> str:
    """One document: a sentence, some on one subject, or a medley."""
    speaker = Speaker(draw, draw.pick(TENSES))
    form = draw.pick(("one", "topic", "topic", "medley"))
    speaker.about(draw.pick(weighted()))
    sentences = [speaker.sentence(draw.pick(speaker.relation.frames))]
    for _ in range(draw.pick(range(1, 5)) if form != "one" else 0):
        if form == "medley":
            speaker.about(draw.pick(weighted()))
        sentence = speaker.sentence(draw.pick(speaker.relation.frames))
        if sentence not in sentences:
            sentences.append(sentence)
    return " ".join(sentences)


def documents(seed: int, n: int | None = None) -> Iterator[str]:
    """`n` documents (endlessly many if None), one line each; seeds from 1,000,000 on are for evaluation only."""
    draw = Chooser(f"everyday {seed}")
    for _ in count() if n is None else range(n):
        yield tell(draw)
