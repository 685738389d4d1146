"""Seeded damage to what a person has on disk, and a worker that opens the damaged thing and tells how that went.

For: tests/benchmarks/test_fuzz_files.py, and the suite's short sample. A case is a seed; the same seed is the same
damage. Run as a program it is the worker: it opens cases one after another and writes a JSON line for each.
"""

import contextlib
import copy
import json
import math
import os
import random
import resource
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gpttui.errors import UserError

MOST_S, MOST_MB, HANG_S = 5.0, 500.0, 90.0
"""A case's limits: processor seconds, resident memory of the process, and wall seconds after which it is killed."""

# ── What is damaged ───────────────────────────────────────────────────────────────────────────────────────────────

RAW = {
    "@nan": "NaN",
    "@inf": "Infinity",
    "@over": "1e999",
    "@long": "1" + "0" * 400,
    "@half": r'"\ud800"',
    "@deep": "[" * 500 + "]" * 500,
    "@bottomless": "[" * 100_000,
    "@same": '{"a": 1, "a": 2}',
}
"""Stand-ins for what Python's json does not write."""
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    7,
    1 << 31,
    1 << 53,
    1 << 63,
    10**30,
    0.5,
    -0.0,
    1.5,
    1e308,
    -1e308,
    "",
    "x",
    "1",
    "²",
    "\x1b]0;x\x07",
    "a\nb",
    "x" * 100_000,
    [],
    {},
    [None],
    [[]],
    {"a": 1},
    ["x"] * 3,
    [1, 2],
    list(range(2000)),
    *RAW,
]
_ADDED = {
    "content": "<x>",
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": False,
    "special": True,
}
_TWICE = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
PARTS: list[Any] = [
    {"type": "Precompiled", "precompiled_charsmap": "AAAA"},
    {"type": "NFKD"},
    {"type": "Lowercase"},
    {"type": "Nmt"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "StripAccents"},
    {"type": "NFC"},
    {"type": "Replace", "pattern": {"String": ""}, "content": "x"},
    {"type": "Prepend", "prepend": "a" * 100_000},
    {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "x"},
    {"type": "Prepend", "prepend": "▁"},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1_000_000},
    {"type": "Sequence", "normalizers": [_TWICE] * 40},
    {"type": "Sequence", "normalizers": []},
    {"type": "Sequence"},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    {"type": "Whitespace"},
    {"type": "ByteLevel"},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    {"type": "WordPiece", "prefix": "##", "cleanup": True},
    {"type": "Fuse"},
    {"type": "ByteFallback"},
    {"type": "nothing"},
    {"type": "Split", "pattern": {"Regex": "((a{1,999}){1,999})"}, "behavior": "Isolated", "invert": False},
    {"type": "Split", "pattern": {"Regex": "["}, "behavior": "Isolated", "invert": False},
    {"type": "BertNormalizer"},
    {"type": "Digits", "individual_digits": True},
    {"type": "Punctuation", "behavior": "Isolated"},
    {"type": "UnicodeScripts"},
]
TOKENIZER: dict[str, list[Any]] = {
    "normalizer": PARTS,
    "pre_tokenizer": PARTS,
    "decoder": PARTS,
    "post_processor": PARTS,
    "padding": [
        {
            "strategy": {"Fixed": n},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "x",
        }
        for n in (5, 10**12, (1 << 63) - 1)
    ],
    "truncation": [
        {"max_length": n, "strategy": "LongestFirst", "stride": 1, "direction": "Right"} for n in (0, 2, 10**12)
    ],
    "added_tokens": [[_ADDED | {"id": n}] for n in (0, 34, 35, 9_999, 4_294_967_295)]
    + [[_ADDED | {"id": 35, "content": ""}]],
}


def _dumps(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    for name, raw in RAW.items():
        text = text.replace(f'"{name}"', raw)
    return text.encode("utf-8", "replace")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON value; of long lists a few."""
    keys: list[Any] = []
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys if len(keys) <= 40 else keys[:10]:
        yield value, key
        yield from _places(value[key])


def _change_value(rng: random.Random, tree: Any) -> Any:
    """The tree with one value replaced, taken away, put twice, renamed or exchanged."""
    places = list(_places(tree))
    if not places or rng.random() < 0.03:
        return copy.deepcopy(rng.choice(VALUES))
    holder, key = rng.choice(places)
    how = rng.random()
    if how < 0.7:
        holder[key] = copy.deepcopy(rng.choice(VALUES))
    elif how < 0.8:
        del holder[key]
    elif how < 0.9:
        other, at = rng.choice(places)
        holder[key] = (
            json.loads(json.dumps(other[at])) if at in other or (isinstance(other, list) and at < len(other)) else 0
        )
    elif isinstance(holder, dict):
        holder[rng.choice(["x", "format", "type", ""])] = holder.pop(key)
    else:
        holder[key:key] = [holder[key]] * rng.choice([1, 100])
    return tree


def _damage_json(rng: random.Random, data: bytes) -> bytes:
    """JSON, or lines of it, with values changed."""
    text = data.decode()
    if "\n{" in text and text.startswith("{"):
        lines = text.splitlines()
        at = rng.randrange(len(lines))
        lines[at] = _dumps(_change_value(rng, json.loads(lines[at]))).decode()
        return "\n".join(lines).encode() + b"\n"
    tree = json.loads(text)
    if isinstance(tree, dict) and "pre_tokenizer" in tree and rng.random() < 0.6:
        name = rng.choice(list(TOKENIZER))
        tree[name] = copy.deepcopy(rng.choice(TOKENIZER[name]))
        return _dumps(tree)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        tree = _change_value(rng, tree)
    return _dumps(tree)


def _damage_header(rng: random.Random, data: bytes) -> bytes:
    """Weights whose header says something else."""
    length = struct.unpack("<Q", data[:8])[0]
    if rng.random() < 0.15:
        return struct.pack("<Q", rng.choice([0, 1, length - 1, length + 1, 1 << 30, 1 << 62, (1 << 64) - 1])) + data[8:]
    try:
        header = _dumps(_change_value(rng, json.loads(data[8 : 8 + length])))
    except ValueError:
        return data[:-1]
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""Kinds of values of a GGUF file; 8 is a text, 9 a list."""
SIZES = [0, 1, 2, 3, 255, 1 << 16, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, (1 << 63) - 1, (1 << 64) - 1]
TEXTS = [
    "", "x", "llama", "gpt2", "bert", "\x1b]0;x\x07", "a\nb", "\ud800", "x" * 100_000, "../../x", "{{ x }}", "%s", "\0",
    "{% for a in range(10**9) %}{% for b in range(10**9) %}x{% endfor %}{% endfor %}", "{{ ''.__class__.__mro__ }}",
]  # fmt: skip
KEYS = [
    "general.architecture", "general.alignment", "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.scores",
    "tokenizer.chat_template", "llama.expert_count", "llama.rope.scaling.factor", "llama.attention.key_length",
    "split.count", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token", "llama.rope.freq_base", "\x1b[2J",
]  # fmt: skip
"""Keys that a file may get beside its own."""


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(data)) + data


def _value(rng: random.Random) -> bytes:
    """A value of any kind, kind included."""
    match rng.randrange(4):
        case 0:
            return struct.pack("<I", 8) + _text(rng.choice(TEXTS))
        case 1:
            of = rng.choice(list(NUMBERS))
            number = struct.pack("<Q", rng.choice(SIZES))[: struct.calcsize(NUMBERS[of])]
            return struct.pack("<I", of) + number
        case 2:
            names = [rng.choice([*TEXTS[:6], "a b", "a", " ", "Ġ"]) for _ in range(rng.choice([0, 1, 3, 300]))]
            return struct.pack("<IIQ", 9, 8, len(names)) + b"".join(map(_text, names))
        case _:
            return struct.pack("<IIQ", 9, 5, 300) + struct.pack(
                "<300i", *(rng.choice([-1, 0, 1, 3, 6, 1 << 30]) for _ in range(300))
            )


def _pairs(data: bytes) -> tuple[list[tuple[bytes, bytes]], int]:
    """The keys of a GGUF file with their values, kinds included, and where the tensors' names begin."""
    at, pairs = 24, []

    def skipped(kind: int, at: int) -> int:
        if kind == 8:
            return at + 8 + int(struct.unpack_from("<Q", data, at)[0])
        if kind != 9:
            return at + struct.calcsize(NUMBERS[kind])
        of, count = struct.unpack_from("<IQ", data, at)
        at += 12
        for _ in range(count):
            at = skipped(of, at)
        return at

    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        end = at + 8 + struct.unpack_from("<Q", data, at)[0]
        after = skipped(struct.unpack_from("<I", data, end)[0], end + 4)
        pairs.append((data[at:end], data[end:after]))
        at = after
    return pairs, at


def _damage_gguf(rng: random.Random, data: bytes) -> bytes:
    """A GGUF file whose header says something else: a value, a key, a size, a tensor's name, kind or place."""
    pairs, rest = _pairs(data)
    if rng.random() < 0.35:  # a number anywhere in the header, tensors' among it
        at = rng.randrange(rest + (len(data) - rest) // 20)
        code = rng.choice(["<Q", "<I"])
        number = rng.choice(SIZES) & ((1 << 8 * struct.calcsize(code)) - 1)
        return data[:at] + struct.pack(code, number) + data[at + struct.calcsize(code) :]
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at, how = rng.randrange(len(pairs)), rng.random()
        if how < 0.6:
            pairs[at] = (pairs[at][0], _value(rng))
        elif how < 0.7 and len(pairs) > 1:
            del pairs[at]
        elif how < 0.8:
            pairs[at:at] = [pairs[at]]
        else:
            key = rng.choice(KEYS)
            pairs = [pair for pair in pairs if pair[0] != _text(key)] + [(_text(key), _value(rng))]
    header = data[:16] + struct.pack("<Q", len(pairs)) + b"".join(key + value for key, value in pairs)
    tensors = data[rest:]
    count = struct.unpack_from("<Q", data, 8)[0]
    end = 0
    for _ in range(count):
        end += 8 + struct.unpack_from("<Q", tensors, end)[0]
        end += 4 + 8 * struct.unpack_from("<I", tensors, end)[0] + 12
    weights = data[-(-(rest + end) // 32) * 32 :]
    whole = header + tensors[:end]
    return whole + bytes(-len(whole) % 32) + weights


def _damage_bytes(rng: random.Random, data: bytes) -> bytes:
    at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    match rng.randrange(7):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:at] + rng.randbytes(rng.choice([1, 9, 500])) + data[at:]
        case 3:
            flipped = bytearray(data)
            for _ in range(rng.choice([1, 3, 30])):
                if flipped:
                    flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 4:
            return data[:at] + bytes(end - at) + data[end:]
        case 5:
            starts = [b"", b"\n", b"null", b"{}", b"[]", b"\xff\xfe", b"\x80\x04\x95", b"PK\x03\x04", b"\0" * 999]
            return rng.choice(starts)
        case _:
            return data + data[at:end]


def _other_kind(rng: random.Random, file: Path) -> None:
    """Something that is no file of its kind in the place of one."""
    size = file.stat().st_size
    kind = rng.randrange(8)
    if kind == 0:
        with file.open("rb+") as handle:
            handle.truncate(rng.choice([size + 1, 1 << 31, 1 << 36, 1 << 40]))
        return
    file.unlink()
    match kind:
        case 1:
            os.mkfifo(file)
        case 2:
            file.symlink_to(rng.choice(["/dev/zero", "/dev/full", "/dev/null", "/dev/urandom", "/proc/self/mem"]))
        case 3:
            with file.open("wb") as handle:
                handle.truncate(rng.choice([1 << 20, 1 << 31, 1 << 40]))
        case 4:
            file.mkdir()
        case 5:
            file.symlink_to(file.name)
        case 6:
            with socket.socket(socket.AF_UNIX) as at, _inside(file.parent):
                at.bind(file.name)
        case _:
            pass


class _inside:
    """A socket's path may be 100 bytes: the directory is entered instead."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *_: object) -> None:
        os.chdir(self.before)


def damage(seed: int, path: Path) -> str:
    """Damage one or two files under `path` (or `path` itself); in words."""
    rng = random.Random(seed)
    names = sorted(file for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())
    if rng.random() < 0.3:
        names = [file for file in names if file.parent == path] or names
    told = []
    if path.is_dir() and rng.random() < 0.1:
        wild = path / "checkpoints" / rng.choice(["²", "x", "9" * 200, "-1", "00000003", "٣"])
        if wild.parent.is_dir() and not wild.exists():
            shutil.copytree(next(iter(sorted(wild.parent.iterdir()))), wild)
            told.append(f"a checkpoint named {wild.name[:9]}")
    for file in rng.sample(names, min(len(names), rng.choice([1, 1, 1, 2]))):
        how = rng.random()
        data = file.read_bytes()
        if how < 0.12:
            _other_kind(rng, file)
            told.append(f"{file.name} of another kind")
        elif file.suffix == ".gguf" and how < 0.75:
            file.write_bytes(_damage_gguf(rng, data))
            told.append(f"{file.name}'s header")
        elif file.suffix == ".safetensors" and how < 0.7:
            file.write_bytes(_damage_header(rng, data))
            told.append(f"{file.name}'s header")
        elif file.suffix in (".json", ".jsonl") and how < 0.85 and data.strip():
            file.write_bytes(_damage_json(rng, data))
            told.append(f"{file.name}'s values")
        else:
            file.write_bytes(_damage_bytes(rng, data))
            told.append(f"{file.name}'s bytes")
    return ", ".join(told)


TEXT = "the cat sat aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, Café — 日本<x>"


# ── Opening it ────────────────────────────────────────────────────────────────────────────────────────────────────


def open_model_dir(path: Path) -> None:
    """A model, as the gallery, the verbs and the playground open it."""
    from gpttui.inference.opening import open_model
    from gpttui.inference.session import Session
    from gpttui.model import checkpoint
    from gpttui.storage import gallery, model_card

    config = checkpoint.read_config(path)
    card = gallery.card(path, config)
    json.dumps(gallery.as_listed(card), allow_nan=False).encode()
    gallery.verify(path)
    history = gallery.history(path)
    assert history is None or all(map(math.isfinite, history.losses_nats.tolist()))
    model_card.read(path)
    model, tokenizer = open_model(path, config)
    pieces = tokenizer.pieces(TEXT)
    assert [piece.id for piece in pieces] == tokenizer.encode(TEXT)
    assert all(0 <= piece.start <= piece.end <= len(TEXT.encode()) for piece in pieces)
    session = Session(model, tokenizer, prompt=TEXT, seed=1)
    session.step()
    session.snapshot()


def open_gguf(path: Path) -> None:
    """The same of a GGUF file, and its chat template, which is there or refused in a line of its own."""
    from gpttui.chat import templates

    with contextlib.suppress(UserError):
        templates.find(path)
    open_model_dir(path)


def unlike_transformers(path: Path) -> str:
    """Where a model that opened differs from what transformers makes of it; empty where that does not open it."""
    import torch
    from transformers import AutoTokenizer, GPT2LMHeadModel, PreTrainedTokenizerFast

    from gpttui.inference.opening import open_model

    model, tokenizer = open_model(path)
    fast = (path / "tokenizer.json").exists()
    try:
        if fast:
            words = PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"))
        else:
            words = AutoTokenizer.from_pretrained(path)
        ids = words.encode(TEXT, add_special_tokens=False)
        positions = torch.arange(min(8, model.config.context, model.config.vocab_size))[None]
        with torch.inference_mode():
            oracle = GPT2LMHeadModel.from_pretrained(path, attn_implementation="eager").eval()
            ours, theirs = model(positions), oracle(positions).logits.float()
    except BaseException:
        return ""
    if ids != tokenizer.encode(TEXT):
        return f"tokens {tokenizer.encode(TEXT)[:9]}, not {ids[:9]}"
    if json.loads((path / "config.json").read_text())["model_type"] != "gpt2":
        return ""
    return "" if torch.allclose(ours, theirs, atol=1e-3, rtol=1e-3, equal_nan=True) else "other logits"


def open_run(path: Path) -> None:
    """A run, as lists, viewers and `--resume` open it."""
    from gpttui.runs import history, rundir
    from gpttui.runs import summary as run_summary
    from gpttui.storage import gallery
    from gpttui.training.run import resume

    run_summary.list_runs(path.parent)
    if rundir.is_run(path):
        json.dumps(str(run_summary.describe(path)))
        history.curve(path)
        rundir.is_locked(path)
    for _, saved in rundir.checkpoints(path):
        try:
            gallery.card(saved)
            gallery.history(saved)
        except UserError:
            continue
    if (path / "config.json").exists():
        with resume(path) as run:
            run.trainer.data.train.draw(1, 0, 2)


def open_session(file: Path) -> None:
    """A session file, as the verbs and the playground bring it back on its model."""
    from gpttui.inference.interventions import compile_changes
    from gpttui.inference.opening import open_model
    from gpttui.inference.session import Session
    from gpttui.sessions.tree import Branches, check_session, load_session, session_text
    from gpttui.storage import gallery
    from gpttui.tui.session.remembered import FROM_FILE, take_up
    from gpttui.tui.views.branches.draw_tree import entries
    from gpttui.tui.views.table import load_all

    saved = load_session(file)
    path = file.parent / "tiny"
    card = gallery.card(path)
    check_session(saved, card.id, card.vocab_size, card.params)
    model, tokenizer = open_model(path)
    changes = compile_changes(model, tokenizer, saved.interventions, tokenizer.encode(saved.prompt))
    tap = changes if saved.interventions else None
    session = Session(model, tokenizer, sampling=saved.sampling, seed=saved.seed, tap=tap, tap_names=changes.words)
    session.restore(saved.prompt, saved.appended, saved.picked, saved.draws)
    session.snapshot()
    tree = Branches(saved.branches)
    sum(len(entry.nodes) for folded in (True, False) for entry in entries(tree, -1, folded=folded))
    load_all()
    take_up({FROM_FILE: saved.view.get("kept")})
    session_text(saved)


def open_settings(file: Path) -> None:
    """A settings file: it never fails, and what it gives can be used and written again."""
    from gpttui import settings
    from gpttui.inference.sampling import check
    from gpttui.records import Sampling

    read, notices = settings.load(file)
    assert all("\n" not in line and len(line) < 600 for line in notices)
    check(Sampling(read.temperature, read.top_k, read.top_p))
    assert 1 / read.numbers_per_s < 1000
    settings.save(read, file.parent / "again.toml")
    again, notices = settings.load(file.parent / "again.toml")
    assert again == read and not notices


OPEN: dict[str, Callable[[Path], None]] = {
    "model": open_model_dir,
    "slow": open_model_dir,
    "own": open_model_dir,
    "gguf": open_gguf,
    "run": open_run,
    "session": open_session,
    "settings": open_settings,
}
KINDS = tuple(OPEN)


def make_originals(folder: Path) -> None:
    """One whole thing of each kind."""
    import gpttui.settings
    from gpttui.inference.opening import open_model
    from gpttui.interventions import AblateHead, Steer
    from gpttui.records import ToldDraw
    from gpttui.runs.config import TrainConfig
    from gpttui.sessions.tree import Branches, OfRun, SessionFile, save_session
    from gpttui.storage import gallery
    from gpttui.training.run import start
    from tests import fakes, gguf_files

    fakes.tiny_model_dir(folder, name="model", tokenizer="bpe")
    fakes.tiny_model_dir(folder, "modern", name="own")
    slow = fakes.tiny_model_dir(folder, name="slow", tokenizer="bpe", vocab_size=302)
    raw = json.loads((slow / "tokenizer.json").read_text())["model"]
    (slow / "tokenizer.json").unlink()
    (slow / "vocab.json").write_text(json.dumps(raw["vocab"]))
    (slow / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in raw["merges"]) + "\n")
    (slow / "added_tokens.json").write_text(json.dumps({"<x>": len(raw["vocab"])}))
    (folder / "gguf").mkdir()
    gguf_files.tiny_llama(folder / "gguf" / "tiny.gguf")
    (folder / "text.txt").write_text(fakes.TEXT * 40)
    config = TrainConfig(data=str(folder / "text.txt"), layers=1, heads=2, width=16, context=8, batch=2, steps=4,
                         eval_every=2, eval_tokens=64, sample_every=2, sample_tokens=4, checkpoint_every=2, warmup=0,
                         threads=1)  # fmt: skip
    with start(config, folder / "run") as run:
        list(run.trainer.events())
    session = folder / "session"
    tiny = fakes.tiny_model_dir(session)
    card, tree = gallery.card(tiny), Branches()
    tree.follow([5, 6, 7], [1.0, math.nan, 3.0])
    tree.follow([5, 8], [2.0, 2.0], under="altered")
    _, tokenizer = open_model(tiny)
    assert len(tokenizer.encode("the cat")) == 7
    save_session(
        SessionFile(model="tiny", vocab_size=card.vocab_size, params=card.params, prompt="the cat", appended=[5, 6],
                    picked=[False, True], draws=[ToldDraw(0.5, 0.4, 0.6), None], seed=7, checkpoint=OfRun("run", 2),
                    interventions=[AblateHead(1, 1, "mean"), Steer(0, "the", "cat", 2.0)],
                    branches=list(tree.nodes.values()), layer=1, view={"kept": {"walk": [1, 2, 3]}, "pinned": [4]}),
        session / "saved.json",
    )  # fmt: skip
    (folder / "settings").mkdir()
    changed = gpttui.settings.Settings(model="x", temperature=0.5, top_k=3, seed=4, keymap={"step": "n"})
    gpttui.settings.save(changed, folder / "settings" / "settings.toml")


class Case(NamedTuple):
    """How one case went."""

    seed: int
    kind: str
    what: str
    outcome: str
    """`opened`, `refused`, or what went wrong."""
    line: str
    seconds: float
    peak_mb: float

    @property
    def is_good(self) -> bool:
        return self.outcome in ("opened", "refused") and self.seconds <= MOST_S and self.peak_mb <= MOST_MB


# ── The worker ────────────────────────────────────────────────────────────────────────────────────────────────────


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _try(kind: str, target: Path) -> tuple[str, str]:
    try:
        OPEN[kind](target)
        return "opened", ""
    except UserError as error:
        line = str(error)
        clear = "\n" not in line and 0 < len(line) < 600 and "Traceback" not in line
        return ("refused" if clear else "no clear line"), line[:300]
    except BaseException as error:
        return type(error).__name__, " ".join(str(error).split())[:300]


def work(originals: Path, first: int, last: int, oracle: bool, only: str) -> None:
    """Cases `first … last - 1`, a JSON line each on stdout; what libraries write on stderr counts against a case."""
    if oracle:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
    said = Path(os.environ["SAID"])
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(handle, 2)
    place = originals.parent / f"case-{os.getpid()}"
    for kind in KINDS:  # everything is imported, and what lies there whole opens
        shutil.copytree(originals / kind, place)
        outcome, line = _try(kind, _target(kind, place))
        assert outcome == "opened", (kind, outcome, line)
        shutil.rmtree(place)
    for seed in range(first, last):
        kind = kind_of(seed, only)
        shutil.copytree(originals / kind, place)
        target = _target(kind, place)
        what = damage(seed, target)
        print(json.dumps({"begun": seed, "what": what}), flush=True)
        os.ftruncate(handle, 0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        start_s = time.process_time()
        outcome, line = _try(kind, target)
        seconds, peak = time.process_time() - start_s, _peak_mb()
        if noise := said.read_text(encoding="utf-8", errors="replace").strip():
            outcome, line = "noise", f"{outcome} {line} {' '.join(noise.split())}"[:400]
        elif (
            oracle and outcome == "opened" and OPEN[kind] is open_model_dir and (unlike := unlike_transformers(target))
        ):
            outcome, line = "not as transformers", unlike
        print(json.dumps(Case(seed, kind, what, outcome, line, round(seconds, 2), round(peak, 1))), flush=True)
        shutil.rmtree(place, ignore_errors=True)


def kind_of(seed: int, only: str) -> str:
    """What a case is of: `only`, or each kind in turn."""
    return only or KINDS[seed % len(KINDS)]


def _target(kind: str, place: Path) -> Path:
    return place / {"session": "saved.json", "settings": "settings.toml", "gguf": "tiny.gguf"}.get(kind, "")


def tried(originals: Path, first: int, last: int, *, oracle: bool = True, only: str = "") -> Iterator[Case]:
    """All cases from `first` on, in processes of their own: one that hangs or dies is a case like any other.

    `oracle`: what opens is compared with transformers, where that opens it too. `only`: cases of this one kind.
    """
    while first < last:
        env = os.environ | {"SAID": str(originals.parent / "said"), "RUST_BACKTRACE": "0", "HF_HUB_OFFLINE": "1"}
        command = [sys.executable, "-m", "tests.damage", str(originals), str(first), str(last), "1" * oracle, only]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True)
        assert worker.stdout is not None
        begun: dict[str, Any] = {}
        watch = _Watch(worker)
        for line in worker.stdout:
            watch.alive()
            told = json.loads(line)
            if isinstance(told, dict):
                begun = told
                continue
            yield Case(*told)
            first, begun = told[0] + 1, {}
        code = worker.wait()
        watch.end()
        if first < last:
            assert begun, f"the worker does not start: {Path(env['SAID']).read_text(encoding='utf-8')[-2000:]}"
            seed = begun["begun"]
            outcome = "hung" if watch.killed else f"died of {code}"
            yield Case(seed, kind_of(seed, only), begun["what"], outcome, "", HANG_S, 0.0)
            first = seed + 1


class _Watch:
    """Kills a worker that says nothing for `HANG_S`."""

    def __init__(self, worker: "subprocess.Popen[str]") -> None:
        import threading

        self.worker, self.killed, self._last_s, self._over = worker, False, time.monotonic(), threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def alive(self) -> None:
        self._last_s = time.monotonic()

    def end(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(1):
            if time.monotonic() - self._last_s > HANG_S:
                self.killed = True
                self.worker.kill()
                return


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bool(sys.argv[4]), sys.argv[5])
