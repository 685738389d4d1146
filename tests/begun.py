"""A little Llama whose texts begin with a token and end with others, in a directory as `transformers` writes it."""

import json
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.tokenizer_kinds import KINDS

PROMPT = "the cat"


def begun(tmp: Path, *, ends: int | list[int] | None = None, kind: str = "SentencePiece, as Llama") -> Path:
    """`tmp/begun`: random weights, `<s>` before every text, `ends` in its generation_config.json."""
    path, backend = tmp / "begun", KINDS[kind]()
    words = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    words.save_pretrained(path)
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=backend.get_vocab_size() + 3, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=64, initializer_range=0.5, eos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(path)
    (path / "generation_config.json").write_text(json.dumps({} if ends is None else {"eos_token_id": ends}))
    return path


def greedy(path: Path, count: int) -> list[int]:
    """What `transformers` goes on with behind `PROMPT`."""
    words = PreTrainedTokenizerFast.from_pretrained(path)
    model = LlamaForCausalLM.from_pretrained(path).eval()
    given = torch.tensor([words(PROMPT).input_ids])
    with torch.inference_mode():
        found = model.generate(
            given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=count, pad_token_id=0
        )
    return list(found[0, given.size(1) :].tolist())
