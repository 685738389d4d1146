"""Small tokenizers of every kind that there is, made with the `tokenizers` library, and texts that they find hard."""

from collections.abc import Callable

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

HARD = [
    "",
    " ",
    "a",
    "The Cat sat on the mat.",
    " two  spaces,   three\t\ttabs\n\nand\r\nlines \n",
    "naïve Ångström ﬁne ² ½ e\u0301 ÀÉ",
    "日本語の文章と中文字符、한국어 จะ हिन्दी",
    "שלום עולם مرحبا \u202eabc\u202c",
    "🙂👨‍👩‍👧‍👦🏳️‍🌈👍🏽 \u200b\u2028\ufeff",
    "nul\x00 bell\x07 \x1b[31mred \x7f\x80\x9b",
    "<s>special</s> a<pad> <pad>b <tool>c <unk>",
    "<0xE6> ▁under▁ ##ed </w> Ġx",
    "don't I'll 12345 3.14159 0x1F",
    "\U0010ffff\ue000\ufffd\ufffe",
]
TEXTS = ["the cat sat on the mat, the dog sat by the cat", *HARD]
SPECIAL = ["<unk>", "<s>", "</s>"]


def _trained(model: models.Model, trainer: trainers.Trainer, change: Callable[[Tokenizer], None]) -> Tokenizer:
    tokenizer = Tokenizer(model)
    change(tokenizer)
    tokenizer.train_from_iterator(["the cat sat on the mat. The dog sat 12 by the cats' bed ÀÉ"] * 9, trainer)
    return tokenizer


def _bytes() -> list[AddedToken]:
    return [AddedToken(f"<0x{byte:02X}>", special=False, normalized=False) for byte in range(256)]


def _around(tokenizer: Tokenizer, first: str = "<s>", last: str = "") -> None:
    parts = f"{first} $A {last}".strip()
    ids = [(name, tokenizer.token_to_id(name)) for name in (first, last) if name]
    tokenizer.post_processor = processors.TemplateProcessing(single=parts, pair=f"{parts} $B", special_tokens=ids)


def _alphabet(tokenizer: Tokenizer) -> Tokenizer:
    """The bytes that it falls back to, in its vocabulary; trainers know only of special tokens."""
    import json

    raw = json.loads(tokenizer.to_str())
    raw["added_tokens"] = [token for token in raw["added_tokens"] if not token["content"].startswith("<0x")]
    raw["model"]["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(raw))


def byte_level(prefix: bool = False, *, lower: bool = False) -> Tokenizer:
    def change(tokenizer: Tokenizer) -> None:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
        tokenizer.decoder = decoders.ByteLevel()
        if lower:
            tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, initial_alphabet=alphabet)
    return _trained(models.BPE(), trainer, change)


def added() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.add_special_tokens([AddedToken("<pad>", lstrip=True, rstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("<tool>", single_word=False), AddedToken("é", normalized=False)])
    _around(tokenizer)
    return tokenizer


def sentencepiece(scheme: str, *, unigram: bool = False, fallback: bool = True, split: bool = False) -> Tokenizer:
    def change(tokenizer: Tokenizer) -> None:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split or unigram)
        parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        parts += [] if scheme == "never" else [decoders.Strip(" ", 1, 0)]
        tokenizer.decoder = decoders.Sequence(parts)

    special = [*SPECIAL, *(token.content for token in _bytes() if fallback)]
    if unigram:
        trainer = trainers.UnigramTrainer(vocab_size=400, special_tokens=special, unk_token="<unk>")
        tokenizer = _trained(models.Unigram(), trainer, change)
    else:
        trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special)
        tokenizer = _trained(models.BPE(unk_token="<unk>", fuse_unk=True), trainer, change)
    tokenizer = _alphabet(tokenizer) if fallback else tokenizer
    _around(tokenizer)
    return tokenizer


def metaspace() -> Tokenizer:
    tokenizer = sentencepiece("always", fallback=False, split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


def replaced() -> Tokenizer:
    """As Gemma has it: spaces become ▁ before anything is split."""
    tokenizer = sentencepiece("never")
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    return tokenizer


def word_piece() -> Tokenizer:
    def change(tokenizer: Tokenizer) -> None:
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=60, special_tokens=special)
    tokenizer = _trained(models.WordPiece(unk_token="[UNK]"), trainer, change)
    _around(tokenizer, "[CLS]", "[SEP]")
    return tokenizer


def words() -> Tokenizer:
    def change(tokenizer: Tokenizer) -> None:
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

    return _trained(
        models.WordLevel(unk_token="[UNK]"), trainers.WordLevelTrainer(vocab_size=20, special_tokens=["[UNK]"]), change
    )


def ends_of_words() -> Tokenizer:
    def change(tokenizer: Tokenizer) -> None:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
        )
        tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")

    trainer = trainers.BpeTrainer(vocab_size=80, special_tokens=["<unk>"], end_of_word_suffix="</w>")
    return _trained(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"), trainer, change)


def digits() -> Tokenizer:
    tokenizer = byte_level()
    split = pre_tokenizers.Split(Regex(r"\p{N}{1,3}| ?[^\s\p{N}]+|\s+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(False, use_regex=False)])
    return tokenizer


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte-level": byte_level,
    "byte-level, a space before": lambda: byte_level(True),
    "byte-level, lower case": lambda: byte_level(lower=True),
    "byte-level, added tokens": added,
    "byte-level, digits": digits,
    "SentencePiece, as Llama": lambda: sentencepiece("first"),
    "SentencePiece, old": lambda: sentencepiece("always"),
    "SentencePiece, as Gemma": replaced,
    "SentencePiece without bytes": lambda: sentencepiece("first", fallback=False),
    "Metaspace": metaspace,
    "Unigram": lambda: sentencepiece("always", unigram=True, fallback=False),
    "Unigram with bytes": lambda: sentencepiece("first", unigram=True),
    "WordPiece": word_piece,
    "words, spaces thrown away": words,
    "ends of words": ends_of_words,
}
