"""Are the painted digits digits? A classifier that knows only real ones is the judge."""

import numpy as np

from gpttui.corpora import digits
from gpttui.errors import UserError
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.records import Sampling

PIXELS = digits.SIDE**2
TEMPERATURE = 0.8


def evaluate(subject: Subject, n: int, seed: int) -> Metrics:
    """Share of `n` samples recognised as the digit asked for; share that equal a training picture pixel by pixel.

    The judge is a support vector machine trained on the real training pictures; its own score on the held-out real ones
    is given beside.
    """
    try:
        from sklearn.svm import SVC
    except ImportError as error:
        raise UserError("judging digits needs scikit-learn: run `pip install scikit-learn`") from error
    pictures, labels = digits.load_pictures(held_out=False)
    real, real_labels = digits.load_pictures(held_out=True)
    known = pictures.reshape(len(pictures), -1)
    judge = SVC(gamma=0.001, C=10.0).fit(known, labels)
    asked = [number % 10 for number in range(n)]
    written = subject.complete(
        [digits.prompt(digit) for digit in asked], PIXELS, sampling=Sampling(TEMPERATURE), seed=seed
    )
    painted = np.stack([digits.pixels_of(":" + text).ravel() for text in written])
    nearest = np.array([np.abs(known - picture).sum(1).min() for picture in painted])
    return {
        "recognised": float((judge.predict(painted) == np.array(asked)).mean()),
        "whole": sum(len(text) == PIXELS for text in written) / n,
        "copies_of_training": float((nearest == 0).mean()),
        "mean_distance_to_nearest": float(nearest.mean() / PIXELS),
        "judge_on_real": float(judge.score(real.reshape(len(real), -1), real_labels)),
    }
