"""The next-token probabilities after one prompt, under any weights: what the heat strip shows step by step."""

import numpy as np
import torch

from gpttui.model.gpt import GPT
from gpttui.protocol.train import Probe
from gpttui.records import frozen

PROBE_TOKENS = 24


@torch.inference_mode()
def probe(model: GPT, ids: list[int], step: int, top_k: int = PROBE_TOKENS) -> Probe:
    """The most probable tokens after `ids`."""
    device = next(model.parameters()).device
    logits = model.eval()(torch.tensor([ids[-model.config.context :]], device=device))[0, -1].float()
    top = logits.softmax(-1).topk(min(top_k, len(logits)))
    return Probe(step, frozen(top.indices.cpu().numpy().astype(np.int32)), frozen(top.values.cpu().numpy()))
