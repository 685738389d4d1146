"""What the inside views cost, on GPT-2 small's shape with random weights and on a real model.

The lens grid stands against one forward pass; a full trace against TransformerLens's `run_with_cache` on the same
weights where that is installed (a version below 4, which took `HookedTransformer` away), else against plain forward
hooks on `transformers`. Views are timed as the screen gets them, through a real engine.
"""

import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch

from gpttui import locations
from gpttui.bench.report import Progress, Row, against, in_turns, silently
from gpttui.engine import launch
from gpttui.errors import UserError
from gpttui.inference.lens import lens
from gpttui.inference.opening import usable_cores
from gpttui.inference.trace import layer_ends, record, stop_sites
from gpttui.model import checkpoint
from gpttui.model.dialects import config_of
from gpttui.model.families import stored_state
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.protocol import parts
from gpttui.protocol import stream as views
from gpttui.protocol.frames import Call, decode_reply, frame, read_frame
from gpttui.protocol.message import Answer, Failure, Request
from gpttui.protocol.play import OpenModel, SetPrompt
from gpttui.tokenizers import train_bpe
from tests.benchmarks.goals import screens
from tests.benchmarks.goals.startup import resident_bytes
from tests.benchmarks.timing import quantile, timed_ms

GPT2 = GPTConfig(50_257, 1024, 12, 12, 768)
TOKENS = 256
PROMPT = 32
TOLERANCE = 1e-4


def measure(model_path: str, *, rounds: int = 3, tell: Progress = silently) -> list[Row]:
    """All rows, with as many threads as an engine takes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, usable_cores() - 1))
    try:
        torch.manual_seed(0)
        model = GPT(GPT2).eval().requires_grad_(False)
        tell("the lens and a whole trace of GPT-2 small's shape")
        found = [*lens_rows(model, rounds), trace_row(model, rounds)]
        tell(f"the attention view of {GPT2.context:,} tokens")
        found += attention_rows(model)
        tell("the arithmetic of every view")
        return found + view_rows(model_path) + screens.view_rows(model_path, tell=tell)
    finally:
        torch.set_num_threads(threads)


def _ids(count: int) -> list[int]:
    return torch.randint(GPT2.vocab_size, (count,), generator=torch.Generator().manual_seed(0)).tolist()


@torch.inference_mode()
def lens_rows(model: GPT, rounds: int) -> list[Row]:
    """The lens grid, every layer x 256 tokens, against one plain forward pass."""
    ids = _ids(TOKENS)
    batch = torch.tensor([ids])
    trace = record(model, ids, stop_sites(model.config))
    by_layer, every = trace.residual(numbers=layer_ends(model.config)), trace.residual()
    grid, full, theirs = in_turns(
        rounds,
        lambda: timed_ms(lambda: lens(model, by_layer)),
        lambda: timed_ms(lambda: lens(model, every)),
        lambda: timed_ms(lambda: model(batch)),
    )
    name = f"logit lens, {len(by_layer)} layers x {TOKENS} tokens, GPT-2 small's shape"
    between = statistics.median(full) / statistics.median(theirs)
    note = f"with the stops between attention and MLP, {len(every)} in all: {between:.2f} passes"
    return [against(name, grid, "one forward pass", theirs, at_least=3.0, aim=1.5, note=note)]


@torch.inference_mode()
def trace_row(model: GPT, rounds: int) -> Row:
    """A trace of everything against the same elsewhere, of a prompt; what both recorded must agree.

    The longer the text, the more of either is one and the same matrix products: the note says how it is at 256 tokens.
    """
    times = []
    for count in (PROMPT, TOKENS):
        ids = _ids(count)
        name, run, shared = _their_trace(model, ids)
        trace, theirs = record(model, ids), run()
        worst = 0.0
        for site, pick in shared.items():
            difference = (trace.tensors[site] - pick(theirs)).abs().nan_to_num(0.0)  # masked scores: -inf less -inf
            worst = max(worst, float(difference.max()))
        if worst > TOLERANCE:
            raise UserError(f"the trace and {name} differ by {worst:.2g}; something is wrong with either")
        del trace, theirs
        times.append(in_turns(rounds, partial(timed_ms, partial(record, model, ids)), partial(timed_ms, run)))
    (ours, theirs_ms), (long_ours, long_theirs) = times
    long = statistics.median(long_ours) / statistics.median(long_theirs)
    note = f"{len(shared)} shared sites, largest difference {worst:.1g}; at {TOKENS} tokens: {long:.2f}"
    title = f"full trace of a prompt of {PROMPT} tokens, GPT-2 small's shape"
    return against(title, ours, name, theirs_ms, at_least=0.6, aim=0.3, note=note)


Shared = dict[str, Callable[[Any], torch.Tensor]]


def _their_trace(model: GPT, ids: list[int]) -> tuple[str, Callable[[], Any], Shared]:
    try:
        return f"TransformerLens {version('transformer_lens')}, run_with_cache", *_transformer_lens(model, ids)
    except ImportError:
        pass
    try:
        return "transformers with hooks", *_hooked_transformers(model, ids)
    except ImportError as error:
        raise UserError(
            "this needs transformers or transformer_lens to compare with; pip install one (transformer_lens<4)"
        ) from error


def _transformer_lens(model: GPT, ids: list[int]) -> tuple[Callable[[], Any], Shared]:
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config, H, D = model.config, model.config.n_head, model.config.d_head
    theirs = HookedTransformer(
        HookedTransformerConfig(
            n_layers=config.n_layer, d_model=config.d_model, n_ctx=config.context, d_head=D, n_heads=H,
            d_mlp=config.mlp_width, d_vocab=config.vocab_size, act_fn="gelu_new", normalization_type="LN",
            eps=config.norm_eps, device="cpu",
        )
    )  # fmt: skip
    state = theirs.state_dict()
    ours = model.state_dict()
    state |= {"embed.W_E": ours["transformer.wte.weight"], "pos_embed.W_pos": ours["transformer.wpe.weight"]}
    state |= {"unembed.W_U": ours["lm_head.weight"].t().contiguous(), "unembed.b_U": torch.zeros(config.vocab_size)}
    state |= {"ln_final.w": ours["transformer.ln_f.weight"], "ln_final.b": ours["transformer.ln_f.bias"]}
    for i in range(config.n_layer):
        here, there = f"transformer.h.{i}.", f"blocks.{i}."
        for norm, name in (("ln1", "ln_1"), ("ln2", "ln_2")):
            state |= {f"{there}{norm}.{x}": ours[f"{here}{name}.{y}"] for x, y in (("w", "weight"), ("b", "bias"))}
        for letter, weight, bias in zip(
            "QKV", ours[here + "attn.c_attn.weight"].chunk(3), ours[here + "attn.c_attn.bias"].chunk(3), strict=True
        ):
            state[f"{there}attn.W_{letter}"] = weight.view(H, D, -1).transpose(1, 2).contiguous()
            state[f"{there}attn.b_{letter}"] = bias.view(H, D)
        state[there + "attn.W_O"] = ours[here + "attn.c_proj.weight"].t().reshape(H, D, -1).contiguous()
        state[there + "attn.b_O"] = ours[here + "attn.c_proj.bias"]
        for name, linear in (("in", "c_fc"), ("out", "c_proj")):
            state[f"{there}mlp.W_{name}"] = ours[f"{here}mlp.{linear}.weight"].t().contiguous()
            state[f"{there}mlp.b_{name}"] = ours[f"{here}mlp.{linear}.bias"]
    theirs.load_state_dict(state)
    theirs.eval().requires_grad_(False)
    batch = torch.tensor([ids])

    def site(name: str, *, heads: bool = False) -> Callable[[Any], torch.Tensor]:
        return lambda run: run[1][name][0].transpose(0, 1) if heads else run[1][name][0]

    shared: Shared = {"logits": lambda run: run[0][0], "embed": site("hook_embed"), "pos_embed": site("hook_pos_embed")}
    shared["ln_final.normalized"] = site("ln_final.hook_normalized")
    for i in range(config.n_layer):
        here = f"blocks.{i}."
        for n in "12":
            shared[f"{here}ln{n}.normalized"] = site(f"{here}ln{n}.hook_normalized")
        for letter in "qkvz":
            shared[f"{here}attn.{letter}"] = site(f"{here}attn.hook_{letter}", heads=True)
        shared[here + "attn.scores"] = site(here + "attn.hook_attn_scores")
        shared[here + "attn.pattern"] = site(here + "attn.hook_pattern")
        shared[here + "attn.out"] = site(here + "hook_attn_out")
        shared[here + "mlp.out"] = site(here + "hook_mlp_out")
        for name in ("pre", "post"):
            shared[f"{here}mlp.{name}"] = site(f"{here}mlp.hook_{name}")
        for name in ("resid_mid", "resid_post"):
            shared[here + name] = site(f"{here}hook_{name}")
    return lambda: theirs.run_with_cache(batch), shared


def _hooked_transformers(model: GPT, ids: list[int]) -> tuple[Callable[[], Any], Shared]:
    from transformers import GPT2Config, GPT2LMHeadModel

    config: Any = GPT2Config(**config_of(model.config).written())
    config._attn_implementation = "eager"  # the others keep no patterns
    theirs: Any = GPT2LMHeadModel(config)
    theirs.eval().requires_grad_(False)
    theirs.load_state_dict(stored_state(dict(model.state_dict()), config_of(model.config), model.config), strict=False)
    theirs.tie_weights()
    kept: dict[str, torch.Tensor] = {}

    def keep(site: str, module: torch.nn.Module) -> None:
        def hook(_module: object, _inputs: object, output: Any) -> None:
            kept[site] = output[0] if isinstance(output, tuple) else output
            if site.endswith("attn") and isinstance(output, tuple):
                kept[site[:-4] + "pattern"] = output[1]

        module.register_forward_hook(hook)

    for i, block in enumerate(theirs.transformer.h):
        sites = {"ln1.normalized": block.ln_1, "attn": block.attn, "ln2.normalized": block.ln_2}
        sites |= {"qkv": block.attn.c_attn, "mlp.pre": block.mlp.c_fc, "mlp.post": block.mlp.act, "mlp.out": block.mlp}
        for name, module in sites.items():
            keep(f"blocks.{i}.{name}", module)
        keep(f"blocks.{i}.resid_post", block)
    keep("ln_final.normalized", theirs.transformer.ln_f)
    batch = torch.tensor([ids])

    def run() -> Any:
        kept.clear()
        kept["logits"] = theirs(batch, output_attentions=True, use_cache=False).logits
        return dict(kept)

    shared: Shared = {name: _picked(name) for name in ("logits", "ln_final.normalized")}
    for i in range(model.config.n_layer):
        names = ("ln1.normalized", "ln2.normalized", "mlp.pre", "mlp.post", "mlp.out", "resid_post")
        shared |= {f"blocks.{i}.{name}": _picked(f"blocks.{i}.{name}") for name in names}
        shared |= {f"blocks.{i}.attn.out": _picked(f"blocks.{i}.attn")}
        shared |= {f"blocks.{i}.attn.pattern": _picked(f"blocks.{i}.pattern")}
    return run, shared


def _picked(name: str) -> Callable[[Any], torch.Tensor]:
    return lambda run: run[name].view(run[name].shape[-3:] if "pattern" in name else run[name].shape[-2:])


# ── Through a real engine ─────────────────────────────────────────────────────────────────────────────────────────


class Child:
    """An engine process, asked one thing after the other."""

    def __init__(self, log: Path) -> None:
        self.process = launch.start(launch.default_command(), log)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, BufferedReader(self.process.stdout)  # type: ignore[type-var]
        self.number = 0
        self._receive()

    def _receive(self) -> tuple[int, Answer]:
        body = read_frame(self.stdout)
        if body is None:
            raise UserError("the engine ended in the middle of the measurement; its log says why")
        reply = decode_reply(body)
        return reply.number, reply.answer

    def ask(self, request: Request) -> Answer:
        self.number += 1
        self.stdin.write(frame(Call(self.number, request)))
        self.stdin.flush()
        while True:
            number, answer = self._receive()
            if number == self.number:
                break
        if isinstance(answer, Failure):
            raise UserError(answer.message)
        return answer

    def ask_ms(self, request: Request) -> float:
        """Milliseconds from asking to the decoded answer."""
        return timed_ms(lambda: self.ask(request))


@contextmanager
def engine() -> Iterator[Child]:
    child = Child(locations.engine_log_file())
    try:
        yield child
    finally:
        child.process.kill()
        child.process.wait()


class Peak:
    """The most resident memory of a process while the block runs."""

    def __init__(self, pid: int) -> None:
        self.pid, self.bytes = pid, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.bytes = max(self.bytes, resident_bytes(self.pid))

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def attention_rows(model: GPT) -> list[Row]:
    """A thousand tokens, 144 heads: moving about in one head's square, and what it all takes in memory."""
    with tempfile.TemporaryDirectory() as folder, engine() as child:
        path = Path(folder) / "gpt2"
        checkpoint.save(model, path)
        tokenizer = train_bpe(["a b c d e"], 256)
        (path / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
        child.ask(OpenModel(str(path), prompt="a"))
        before = resident_bytes(child.process.pid)
        with Peak(child.process.pid) as peak:
            child.ask(SetPrompt("abcdefgh" * (GPT2.context // 8)))
            opened_ms = child.ask_ms(parts.AskHeads())
            scrolls_ms = [
                child.ask_ms(
                    parts.AskStages(n % 12, n % 12, first_query=n * 30, first_key=n * 20, cell=(n * 30, n * 20))
                )
                for n in range(33)
            ]
        child.process.kill()
        size = f"{GPT2.context} tokens, 12 x 12 heads"
        scroll = screens.scroll_row(str(path), "abcdefgh" * (GPT2.context // 8), size)
    held = (peak.bytes - before) / 1e6
    return [
        scroll,
        Row(
            f"attention stages, {size}: scroll p95, engine's part",
            quantile(scrolls_ms, 0.95),
            "ms",
            at_least=50,
            aim=25,
        ),
        Row(f"attention, {size}: peak memory over the model's own", held, "MB", at_least=400, aim=150),
        Row(f"attention, {size}: all heads surveyed", opened_ms, "ms"),
    ]


def view_rows(model_path: str) -> list[Row]:
    """Every view of the default model over 64 tokens: opened, and with the selection moving."""
    with engine() as child:
        child.ask(OpenModel(model_path))
        child.ask(SetPrompt("the same words, said over and over, are words that a model knows. " * 4))
        asks: dict[str, Callable[[int], Request]] = {
            "journey": lambda n: views.AskJourney(n),
            "lens grid": lambda n: views.AskLens(0, 64),
            "contributions": lambda n: views.AskContributions((1, 2, 3), n),
            "neighbours": lambda n: views.AskNeighbours(position=n, stop=1),
            "map": lambda n: views.AskMap(stop=1),
            "compare": lambda n: views.AskCompare("a machine learning model", "a fashion model"),
            "stages": lambda n: parts.AskStages(n % 2, n % 2, cell=(n, 0)),
            "all heads": lambda n: parts.AskHeads(),
            "MLP": lambda n: parts.AskMLP(0, n),
            "neuron": lambda n: parts.AskNeuron(0, n),
        }
        rows = []
        for name, ask in asks.items():
            first_ms = child.ask_ms(ask(0))
            moves_ms = [child.ask_ms(ask(n)) for n in range(1, 41)]
            rows.append(Row(f"{name}: first answer", first_ms, "ms", at_least=150, aim=60))
            rows.append(
                Row(f"{name}: answers to a moving selection, p95", quantile(moves_ms, 0.95), "ms", at_least=50, aim=25)
            )
    return rows
