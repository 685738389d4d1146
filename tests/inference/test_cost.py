"""The formulae against the parameters and the profiler's own count; the clock against the whole."""

import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gpttui.inference.cost import cache_bytes, measure_ms, part_costs, token_flops
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.kv_cache import KVCache
from gpttui.model.taps import Recorder
from tests.shapes import SHAPES, ids, model


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_and_flops(shape: str) -> None:
    gpt = model(shape)
    config, parts = gpt.config, part_costs(gpt.config, 7)
    numbers = sum(part.weight_bytes for part in parts) // 4
    rows = 1 + (config.positions == "learned")  # of the embeddings, one row each is read
    others = [
        p for name, p in gpt.named_parameters() if "wte" not in name and "wpe" not in name and "lm_head" not in name
    ]
    assert numbers == sum(p.numel() for p in others) + rows * config.d_model + gpt.lm_head.weight.numel()
    cache = KVCache(config.n_layer, config.kv_heads, config.d_head, config.context)
    with torch.no_grad():
        gpt(torch.tensor([ids(6)]), cache=cache)
        with FlopCounterMode(display=False) as counter:
            gpt(torch.tensor([ids(1)]), cache=cache, tap=Recorder())
    counted = counter.get_total_flops()
    assert abs(token_flops(config, 7) - counted) <= 2 * config.d_model
    assert cache_bytes(config, 7) == cache.size_bytes
    assert sum(part.cache_bytes for part in parts) == cache.size_bytes


def test_measured_parts_are_part_of_the_whole() -> None:
    gpt = GPT(GPTConfig(300, 64, 2, 4, 256)).eval().requires_grad_(False)
    cache, tokens = gpt.new_cache(), ids(40, vocab_size=300)
    with torch.inference_mode():
        gpt(torch.tensor([tokens]), cache=cache)
    keys = cache.keys.clone()
    began_s = time.perf_counter()
    spent_ms = measure_ms(gpt, cache, tokens, 20, repeats=3)
    elapsed_ms = (time.perf_counter() - began_s) * 1e3
    assert len(spent_ms) == len(part_costs(gpt.config, 21)) and min(spent_ms) > 0
    assert sum(spent_ms) < elapsed_ms
    assert torch.equal(keys[..., :40, :], cache.keys[..., :40, :]) and cache.length == 40  # the rest is not written yet
