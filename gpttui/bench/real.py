"""`gpttui bench real`: a model that people hold, opened, stepped and looked into, as ratios within one run.

`transformers` is the yardstick where it is installed, on the same file, in the same dtype, in turns; where it is not, a
row has no ratio and says so. Openings are timed each in a process of its own, without the time of its imports. Keys are
timed from outside, in a terminal: from the key to the last byte that it painted.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from gpttui.bench import same_text
from gpttui.bench.report import Progress, Row, silently
from gpttui.bench.terminal import Terminal
from gpttui.engine.launch import PACKAGE_PARENT
from gpttui.errors import UserError
from gpttui.inference.opening import leave_a_core, open_model
from gpttui.inference.precision import DTYPES, Precision, name_of
from gpttui.inference.recorder import give_memory_back
from gpttui.inference.session import Session
from gpttui.model.gpt import GPT
from gpttui.storage.gguf import is_gguf

WORDS = "One day Mia put the key in the drawer and went to the garden. Later she looked for the key there. "
TURN = 5
STEPS = 30
VIEW_TOKENS = 64
LONG_TOKENS = 1000
VIEWS = {"i": "journey", "a": "attention", "L": "layers"}
QUIET_S = 0.3
"""Silence of so long says that nothing is still to be painted: a step is shorter."""
NO_PEER = "transformers does not open it here: pip install transformers accelerate gguf"


def measure(path: Path, precision: Precision, *, rounds: int = 5, tell: Progress = silently) -> list[Row]:
    """All rows for the model in directory or GGUF file `path`."""
    leave_a_core()
    os.environ.setdefault("TQDM_DISABLE", "1")
    tell("openings, each in a process of its own")
    rows = opening_rows(path, precision)
    model, tokenizer = open_model(path, precision=precision)
    dtype = name_of(model.lm_head.weight.dtype)
    tell("steps, in turns with transformers")
    rows.append(step_row(model, Session(model, tokenizer, prompt=WORDS), _opened_by_transformers(path, dtype), rounds))
    tell("what both write, greedily")
    rows += same_text_rows(path)
    tell("keys and views, in a terminal of their own")
    ids = tokenizer.encode(WORDS * (VIEW_TOKENS // 8))[:VIEW_TOKENS]
    argv = ["--model", str(path), "--dtype", dtype, "--prompt", tokenizer.decode(ids)]
    rows += screen_rows(Session(model, tokenizer, prompt=tokenizer.decode(ids)), argv, rounds)
    tell(f"memory at {LONG_TOKENS:,} tokens")
    over_mb, start_mb = map(float, _elsewhere("memory_over_weights", path, dtype).split())
    rows.append(
        Row("memory over the weights, stepping, context 1,024", over_mb, "MB", at_least=400, aim=250,
            note=f"{start_mb:.0f} MB of it are Python, PyTorch and the vocabulary, there before the first token")
    )  # fmt: skip
    return rows


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def step_row(model: GPT, session: Session, theirs: Any, rounds: int) -> Row:
    """`Session.step`, everything recorded, against a cached forward with attentions and hidden states."""
    ours_s: list[float] = []
    theirs_s: list[float] = []
    past = None if theirs is None else _theirs(theirs, session.ids.tolist(), None)
    for turn in range(rounds * STEPS // TURN + 1):
        if turn == 1:  # the first turn warmed both up
            ours_s, theirs_s = [], []
        for token_id in [_timed(ours_s, session.step) for _ in range(TURN)]:
            if theirs is not None:
                past = _timed(theirs_s, partial(_theirs, theirs, [token_id], past))
    name = f"Session.step, everything recorded, {name_of(model.lm_head.weight.dtype)}"
    ours_ms = statistics.quantiles(ours_s, n=4)[0] * 1e3
    if theirs is None:
        return Row(name, ours_ms, "ms", note=NO_PEER)
    theirs_ms = statistics.quantiles(theirs_s, n=4)[0] * 1e3
    baseline = "transformers, cached, with attentions and hidden states"
    return Row(name, ours_ms, "ms", baseline, theirs_ms, ours_ms / theirs_ms, at_least=0.9, aim=0.6)


def _timed(times_s: list[float], act: Callable[[], Any]) -> Any:
    began_s = perf_counter()
    result = act()
    times_s.append(perf_counter() - began_s)
    return result


@torch.inference_mode()
def _theirs(model: Any, ids: list[int], past: Any) -> Any:
    idx = torch.tensor([ids])
    out = model(idx, past_key_values=past, use_cache=True, output_attentions=True, output_hidden_states=True)
    return out.past_key_values


def same_text_rows(path: Path) -> list[Row]:
    """Greedy texts against those of `transformers` on the same file, in fp32; none where it does not open it."""
    theirs = _opened_by_transformers(path, "fp32")
    if theirs is None:
        return []
    from transformers import AutoTokenizer

    where, more = _for_transformers(path)
    model, tokenizer = open_model(path, precision="fp32")
    return [same_text.greedy_row(model, tokenizer, theirs, AutoTokenizer.from_pretrained(where, **more))]


def _opened_by_transformers(path: Path, dtype: str) -> Any:
    """None where it is not installed, or does not open this."""
    try:
        from transformers import AutoModelForCausalLM

        where, more = _for_transformers(path)
        return AutoModelForCausalLM.from_pretrained(where, dtype=DTYPES[dtype], attn_implementation="eager", **more)
    except (ImportError, OSError, ValueError):
        return None


def _for_transformers(path: Path) -> tuple[str, dict[str, Any]]:
    return (str(path.parent), {"gguf_file": path.name}) if is_gguf(path) else (str(path), {})


# ── Openings ──────────────────────────────────────────────────────────────────────────────────────────────────────


def opening_rows(path: Path, precision: Precision) -> list[Row]:
    """The first time, with nothing kept of it, and the second, against `transformers` on the same file."""
    with tempfile.TemporaryDirectory() as home:
        ours_s = [float(_elsewhere("opening_s", path, precision, home=home)) for _ in range(2)]
    try:
        theirs_s = float(_elsewhere("their_opening_s", path, precision))
    except UserError:
        theirs_s = None
    rows = []
    for name, value_s, at_least, aim in zip(("first", "second"), ours_s, (0.5, 0.15), (0.25, 0.08), strict=True):
        name = f"opened the {name} time, model and tokenizer"
        if theirs_s is None:
            rows.append(Row(name, value_s, "s", note=NO_PEER))
        else:
            ratio = value_s / theirs_s
            rows.append(Row(name, value_s, "s", "transformers, the same file", theirs_s, ratio, at_least, aim))
    return rows


def _elsewhere(call: str, *arguments: object, home: str = "") -> str:
    """What a function of this module prints in a process of its own. Raises UserError where it fails."""
    said = ", ".join(repr(str(argument)) for argument in arguments)
    environment = os.environ | {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}{os.pathsep}{PACKAGE_PARENT}"}
    environment |= {"GPTTUI_HOME": home} if home else {}
    program = f"from gpttui.bench import real; real.{call}({said})"
    command = [sys.executable, "-P", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if result.returncode:
        raise UserError(f"{call} failed: {result.stderr.strip().splitlines()[-1:]}")
    return result.stdout


def opening_s(path: str, precision: Precision) -> None:
    """Prints how long it takes."""
    leave_a_core()
    began_s = perf_counter()
    open_model(Path(path), precision=precision)
    print(perf_counter() - began_s)


def their_opening_s(path: str, precision: Precision) -> None:
    """Prints how long it takes `transformers`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    leave_a_core()
    where, more = _for_transformers(Path(path))
    began_s = perf_counter()
    AutoTokenizer.from_pretrained(where, **more)
    AutoModelForCausalLM.from_pretrained(where, dtype=DTYPES.get(precision, torch.float32), **more)
    print(perf_counter() - began_s)


def memory_over_weights(path: str, precision: Precision) -> None:
    """Prints megabytes of this process over its weights: stepping behind a long text, and before a text."""
    leave_a_core()
    model, tokenizer = open_model(Path(path), precision=precision)
    unique: dict[int, Tensor] = {x.data_ptr(): x for x in model.parameters()}
    weights = sum(x.numel() * x.element_size() for x in unique.values())
    for x in unique.values():
        x.sum()  # of a mapped file what was not touched does not count yet
    give_memory_back()
    start = resident_bytes() - weights
    ids = tokenizer.encode(WORDS * (LONG_TOKENS // 16))[: min(LONG_TOKENS, model.config.context - 24)]
    session = Session(model, tokenizer, prompt=tokenizer.decode(ids))
    for _ in range(20):
        session.step()
    print((resident_bytes() - weights) / 1e6, start / 1e6)


def resident_bytes() -> int:
    """Of this process. Raises UserError where the system does not tell."""
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError as error:
        raise UserError("this system does not tell how much memory a process holds") from error
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


# ── The screen ────────────────────────────────────────────────────────────────────────────────────────────────────


def screen_rows(session: Session, argv: list[str], rounds: int) -> list[Row]:
    """From the key to what it painted last; the bare step and the bare pass are measured in turns with it."""
    idx = torch.tensor([session.ids.tolist()])
    found: list[Row] = []
    with _playground(argv) as terminal:
        over_ms = []
        for _ in range(rounds * 4):
            pressed_s = terminal.press(" ", answer_s=60, quiet_s=QUIET_S)
            over_ms.append((pressed_s - _seconds(session.step)) * 1e3)
        name = "key → token painted in all panes, over the bare step, p95"
        found.append(Row(name, _p95(over_ms[1:]), "ms", at_least=40, aim=20))
        for key, title in VIEWS.items():
            opened_ms: list[float] = []
            passed_ms: list[float] = []
            for _ in range(rounds + 1):
                opened_ms.append(terminal.press(key, answer_s=60, quiet_s=QUIET_S) * 1e3)
                passed_ms.append(_seconds(lambda: _pass(session.model, idx)) * 1e3)
                terminal.press("\x1b", answer_s=60, quiet_s=QUIET_S)
            name, one = f"{title} opened on {VIEW_TOKENS} tokens, p95", statistics.median(passed_ms)
            note = f"the first time, its code still to be loaded: {opened_ms[0]:.0f} ms; one forward pass: {one:.0f} ms"
            found.append(Row(name, _p95(opened_ms[1:]), "ms", at_least=300 + one, aim=150 + one, note=note))
    return found


@contextmanager
def _playground(argv: list[str]) -> Iterator[Terminal]:
    with Terminal([sys.executable, "-m", "gpttui", *argv]) as terminal:
        terminal.wait_for(lambda text: " bits" in text, "a prediction")
        terminal.settle(1.0)
        yield terminal
        terminal.send("q")
        terminal.settle()


@torch.inference_mode()
def _pass(model: GPT, idx: Tensor) -> None:
    model(idx)


def _seconds(act: Callable[[], object]) -> float:
    began_s = perf_counter()
    act()
    return perf_counter() - began_s


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]
