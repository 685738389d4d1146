"""Does the model copy what followed the same symbol earlier, and which head does it?

The induction score of a head (Olsson et al. 2022): the attention it pays, averaged over the repeated half, to the
position right after the earlier copy of the present symbol.
"""

import numpy as np
import torch

from gpttui.corpora import induction
from gpttui.evaluation.subject import Metrics, Subject
from gpttui.model.taps import Recorder


def evaluate(subject: Subject, n: int, seed: int) -> Metrics:
    """Share of the repeated half predicted (most probable symbol), the best head's induction score, and which it is.

    Layers and heads count from 1, as the playground shows them.
    """
    config = subject.model.config
    right = seen = 0
    scores = np.zeros((config.n_layer, config.n_head))
    patterns = [f"blocks.{layer}.attn.pattern" for layer in range(config.n_layer)]
    for document in map(induction.repeated_once, induction.documents(seed, n)):
        ids = torch.tensor([subject.tokenizer.encode(document)])
        recorder = Recorder(patterns)
        with torch.inference_mode():
            guesses = subject.model(ids, tap=recorder)[0].argmax(-1)
        mask = torch.tensor(induction.repeated_half_mask(document))
        right += int((guesses[:-1] == ids[0, 1:])[mask[1:]].sum())
        seen += int(mask[1:].sum())
        half = len(document) // 2
        queries = torch.arange(half, len(document))
        for layer, site in enumerate(patterns):
            paid = recorder.sites[site][0][:, queries, queries - half + 1]  # [head, query]
            scores[layer] += paid.mean(-1).numpy()
    best_layer, best_head = np.unravel_index(scores.argmax(), scores.shape)
    return {
        "repeated_half": right / seen,
        "best_head_induction": float(scores.max() / n),
        "best_head_layer": float(best_layer + 1),
        "best_head": float(best_head + 1),
    }
