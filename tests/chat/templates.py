"""Chat templates in the manner of the families people use, written for these tests, and a tokenizer for them."""

from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from gpttui.model import checkpoint
from tests import fakes

CHATML = (
    "{% for message in messages %}{% if loop.first and message.role != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a small model.<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA = """
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- set system = messages[0].content | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{{- '<|start|>system<|end|>\\n\\n' }}
{{- 'Today: ' + strftime_now('%d %b %Y') + '\\n\\n' }}
{{- system + '<|eot|>' }}
{%- for message in messages %}
    {{- '<|start|>' + message.role + '<|end|>\\n\\n' + message.content | trim + '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start|>assistant<|end|>\\n\\n' }}
{%- endif %}
"""
GEMMA = """
{{- bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Roles must alternate') }}
    {%- endif %}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] %}
    {{- '<turn>' + role + '\\n' + (message['content'] | trim) + '</turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<turn>model\\n' }}{% endif %}
"""
MISTRAL = """
{%- if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set loop_messages = messages[1:] %}
{%- else %}{% set loop_messages = messages %}{% endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message.role == 'user' %}
        {%- if loop.last and system is defined %}
            {{- '[INST] ' + system + '\\n\\n' + message.content + '[/INST]' }}
        {%- else %}
            {{- '[INST] ' + message.content + '[/INST]' }}
        {%- endif %}
    {%- else %}{{ ' ' + message.content | trim + eos_token }}{% endif %}
{%- endfor %}
"""
THINKING = """
{%- set ns = namespace(seen=0) %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == 'assistant' %}
        {%- if '</think>' in content %}{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}
        {{- '<|im_start|>assistant\\n' }}{% generation %}{{ content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
    {%- endif %}
    {%- set ns.seen = ns.seen + 1 %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' }}{% endif %}
"""
ODD = """
{% for message in messages %}
  {% if not message.content %}{% continue %}{% endif %}
  {% if loop.index > 90 %}{% break %}{% endif %}
  {{ {'who': message.role, 'é': [1, 2]} | tojson }}: {{ message.content }}
  {# not a word #}
{% endfor %}
{% if tools is none and documents is none and add_generation_prompt %}answer:{% endif %}
"""
TEMPLATES = {"chatml": CHATML, "llama": LLAMA, "gemma": GEMMA, "mistral": MISTRAL, "thinking": THINKING, "odd": ODD}

SPECIAL = "<s> </s> <|im_start|> <|im_end|> <|start|> <|end|> <|eot|> <turn> </turn> [INST] [/INST]".split()
WRITTEN = ["<think>", "</think>", "\n\n"]
"""Added tokens that are not special: the templates write them."""


def byte_level() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    texts = ["user system assistant model the cat is on the mat <|im_end|> <| |> Today: answer who"] * 9
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False))
    return made


def sentencepiece() -> Tokenizer:
    """As Llama 2 and Gemma have it: blanks are ▁, what is unknown falls back to bytes."""
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz<>|/_[]INST:.?"]
    made = Tokenizer(
        models.BPE({name: n for n, name in enumerate([*names, "us", "er", "▁t"])}, [("u", "s"), ("e", "r"), ("▁", "t")],
                   unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )  # fmt: skip
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return made


TOKENIZERS = {"byte level": byte_level, "sentencepiece": sentencepiece}


def model(path: Path, template: str | dict[str, str], kind: str = "byte level") -> PreTrainedTokenizerFast:
    """A directory as transformers writes it; its tokenizer is the oracle."""
    backend = TOKENIZERS[kind]()
    backend.add_special_tokens(SPECIAL)
    backend.add_tokens([AddedToken(name, normalized=False) for name in WRITTEN])
    theirs = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    theirs.chat_template = template
    theirs.save_pretrained(path)
    return theirs


def model_dir(path: Path, template: str = CHATML, **changes: int) -> Path:
    """A complete model of random weights that has a chat template."""
    theirs = model(path, template)
    made = fakes.tiny_model(vocab_size=len(theirs), context=256, **changes)
    checkpoint.save(made, path)
    (path / "card.json").write_text('{"prompt": "the cat", "prompts": ["the cat"]}', encoding="utf-8")
    return path
