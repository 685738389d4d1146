"""The last card of a finished tour: what a person did, in numbers, each beside its baseline."""

from collections.abc import Sequence
from statistics import fmean

from gpttui.lessons.lesson import Card, Chapter, Lesson
from gpttui.tui.tour.keeping import Kept

ID = "summary"


def of(kept: Kept, chapters: Sequence[Chapter]) -> Chapter:
    """A chapter of one card, behind all others, on what was guessed and trained in `chapters`."""
    card = Card(say=" ".join(lines(kept, chapters)), recap=True)
    return Chapter(chapters[-1].number + 1, ID, Lesson(title="What you did", model="", card=[card]))


def lines(kept: Kept, chapters: Sequence[Chapter]) -> list[str]:
    """Its sentences."""
    ids = {chapter.id for chapter in chapters}
    done = sum(chapter.id in kept.done for chapter in chapters)
    said = [f"You finished {done} of {len(chapters)} chapters." if chapters[1:] else "You finished the lesson."]
    guesses = [guess for name, guess in kept.guesses.items() if name.rpartition(" ")[0] in ids]
    if guesses:
        right, blind = sum(guess.right for guess in guesses), sum(1 / guess.options for guess in guesses)
        said.append(f"Guesses: {right} of {len(guesses)} right; picking blindly, about {blind:.1f} would be.")
    if tokens := [guess for guess in guesses if guess.bits is not None]:
        yours = fmean(guess.bits for guess in tokens if guess.bits is not None)
        best, blind = fmean(guess.best_bits for guess in tokens), fmean(guess.blind_bits for guess in tokens)
        said.append(
            f"Surprisal of the tokens you guessed, by the model: {yours:.1f} bits; of the model's own best guess "
            f"{best:.1f}; of a blind guess {blind:.1f}."
        )
    if (run := kept.trained) is not None:
        said.append(
            f"The model you trained went from a loss of about {run.blind:.2f} (a blind guess) to {run.loss:.2f} in "
            f"{run.steps:,} steps."
        )
    return said
