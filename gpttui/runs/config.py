"""All that decides a training run, in one frozen struct that travels: command line, form, `config.json`, engine.

Two runs with equal configs on the same machine and thread count give the same losses bit for bit (with `minutes`, the
number of steps is the machine's: from what it has been so far, a run goes on bit for bit). No torch here, so
that the screen can hold a form over it; what the fields mean for a model is in `gpttui.training`.
"""

from typing import Any, Literal

import msgspec

from gpttui.errors import UserError, one_line
from gpttui.files import from_json

FORMAT = 1
"""Version of a run directory; a larger one in a file means: written by a newer gpttui."""
MOST = 10**15
"""No count, time or seed of a run is as large."""

_RANGES = (
    ("layers heads width context batch accumulation steps corpus_documents keep newton_schulz_steps", 1, MOST),
    ("warmup eval_every eval_tokens sample_every sample_tokens checkpoint_every history minutes target_loss", 0, MOST),
    ("threads seed weight_decay matrix_weight_decay grad_clip prompt_weight lr_scale", 0, MOST),
    ("dropout label_smoothing min_lr_fraction stable_fraction beta1 beta2 momentum", 0, 1),
)
"""Fields, what they are at least, and what they are below."""
NOT_ORDERED = ("recipe", "token_view", "lr_scale", "before")
"""Fields that follow from what was ordered, and from what was done while it ran."""
FINE_TUNING = {"lr": 3e-4, "matrix_lr": 2e-3}
"""Peak learning rates where a run starts from a trained model and none are named."""


class Stretch(msgspec.Struct, frozen=True):
    """What held of the schedule until the step before which it was changed."""

    until: int
    steps: int
    lr_scale: float = 1.0


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, eq=True):
    """One training run. Raises ValueError, in one line, for values that cannot be."""

    data: str
    """A text file, a directory of texts, `-` for stdin, or `corpus:NAME` for a generated one."""
    text_field: str = ""
    """Of JSON lines (`.jsonl`): the field whose text is learned, alone; empty: the lines as they stand."""
    tokenizer: str = "char"
    """`char`, `word`, or `bpe:N`: learned from the text. With `init`: that model's own, whatever stands here."""
    documents: bool = False
    """A row is one document (a line of a file, a document of a corpus), from its start, padded; not a stream."""
    from_starts: bool = False
    """Rows of a stream begin where a document (a line) begins, so that a row asks for nothing said before it."""
    starts_share: float = 1.0
    """With `from_starts`: the share of rows that do; the others begin anywhere, as one's own prompts may."""
    corpus_documents: int = 100_000
    """How many training documents to draw from a generated corpus (and a twentieth of that, held out, to validate)."""
    answer_after: str = ""
    """Rows only: the marker (one token) behind which a document is determined by what came before."""
    prompt_weight: float = 1.0
    """Weight of the loss on what stands before the answer, marker included; the answer's is 1."""
    val_fraction: float = 0.1
    """The last part of the text, never trained on."""
    init: str = ""
    """A model directory to start from (fine-tuning); the shape and the tokenizer are then its own."""
    recipe: str = ""
    """The recipe that it began as, whose words its card has."""
    token_view: str = ""
    """How its tokens are drawn, where not as its corpus says: a fine-tuned model has its tokens from another one."""

    arch: Literal["gpt2", "modern", "llama"] = "gpt2"
    """`gpt2`: LayerNorm, learned positions, GELU, tied head. `modern`: RMSNorm, RoPE, QK-norm, ReLU^2, outputs that
    start at zero, no biases. `llama`: what Llama is (RMSNorm, RoPE, SwiGLU), and other programs therefore open.
    With `init`: the nearest of them to the base, whose shape it has."""
    layers: int = 4
    heads: int = 4
    width: int = 128
    context: int = 64
    """Most tokens a pass sees."""
    mlp_width: int | None = None
    """Neurons of each MLP; None: four times the width; 0: attention only."""
    kv_heads: int | None = None
    """Fewer than `heads`: grouped queries (modern and llama)."""
    activation: Literal["", "gelu_tanh", "gelu", "relu", "relu2", "swiglu", "geglu", "reglu", "silu", "gelu_quick"] = ""
    """Overrides the architecture's own."""
    qk_gain: bool = False
    """Modern only: each head learns how sharply it looks. What is far back in the text is hard to find without."""
    norm_place: Literal["before", "after", "both"] = "before"
    """Modern and llama: `both` puts a norm behind attention and MLP too, so that what each adds to a vector stays about
    as long as the vector."""
    embed_scale: bool = False
    """Modern and llama: a token's vector enters the stream sqrt(width) times as long as the head has it (Vaswani et al.
    2017), so that it is not small beside what the blocks add."""
    tied: bool | None = None
    """Whether head and embedding are one matrix; None: yes for gpt2, no for modern."""
    dropout: float = 0.0
    """Of embeddings and of what attention and MLP add."""
    pattern_dropout: bool = False
    """Whether attention patterns drop out too, as nanoGPT's do: three times slower attention on a CPU."""

    batch: int = 12
    """Rows of one pass, in each process."""
    accumulation: int = 1
    """Passes of one step."""
    steps: int = 2000
    """The schedule's length, and where the run ends by itself; with `minutes`, what was fitted to them last."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """`muon`: Muon for the blocks' matrices, AdamW for the rest."""
    lr: float = 1e-3
    """AdamW's peak learning rate."""
    matrix_lr: float = 0.02
    """Muon's peak learning rate; scaled by the same schedule."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: int = 100
    """Steps over which the learning rate climbs from zero; at most a tenth of the run."""
    min_lr_fraction: float = 0.0
    """Where the schedule ends, as a fraction of the peak."""
    stable_fraction: float = 0.0
    """Linear schedule: the fraction of the run held at the peak before the way down."""
    lr_scale: float = 1.0
    """What a person made of all learning rates while the run went on."""
    before: tuple[Stretch, ...] = ()
    """What held earlier in the run, each until its step; `steps` and `lr_scale` hold from there on. With these, a run
    that goes on repeats every step as it was."""
    weight_decay: float = 0.1
    """AdamW's, on matrices only (blocks, embeddings, head); norms and biases are spared."""
    matrix_weight_decay: float = 0.0
    """Muon's."""
    beta1: float = 0.9
    beta2: float = 0.99
    momentum: float = 0.95
    """Muon's."""
    newton_schulz_steps: int = 5
    """Muon's iterations towards the orthogonal matrix."""
    grad_clip: float = 1.0
    """Gradients longer than this are scaled down to it; 0: never."""
    label_smoothing: float = 0.0
    """How much of each target is spread evenly over the vocabulary. Validation is never smoothed."""

    eval_every: int = 250
    """Steps between measurements on held-out text; 0: only at the end."""
    eval_tokens: int = 81_920
    """Held-out tokens of one measurement, spread evenly, the same ones each time."""
    sample_every: int = 250
    """Steps between samples, with a few more before the first of them; 0: none."""
    sample_prompt: str = ""
    """What samples go on from; empty: a newline, or the vocabulary's first token."""
    sample_tokens: int = 120
    checkpoint_every: int = 250
    """Steps between checkpoints; 0: only at the end."""
    keep: int = 2
    """Newest checkpoints that stay whole, optimiser included."""
    history: int = 40
    """Older checkpoints that stay as weights, thinned evenly in log steps, to scrub through."""

    minutes: float = 0.0
    """Train so long, evaluations and all; `steps` is fitted to it, and so is the schedule. 0: as long as `steps`."""
    target_loss: float = 0.0
    """Stop rule: a validation loss this low; 0: none."""
    seed: int = 1337
    device: str = "auto"
    """`auto`: cuda, mps, cpu, in this order."""
    precision: Literal["fp32", "bf16", "auto"] = "auto"
    """Of the matrix products: `auto` is bf16 on CUDA, fp32 elsewhere; `bf16` falls back where the hardware emulates
    it. Weights and optimiser: always fp32."""
    threads: int = 0
    """Torch's threads on a CPU; 0: all cores."""
    compile: bool = False
    """torch.compile."""

    def __post_init__(self) -> None:
        for names, least, most in _RANGES:
            for name in names.split():
                if not least <= getattr(self, name) < most:
                    raise ValueError(f"{name} must be at least {least} and below {most:,}, not {getattr(self, name)}")
        for name in ("lr", "matrix_lr"):
            if not 0 < getattr(self, name) < 100:
                raise ValueError(f"{name} must be above 0 (0.001, say), not {getattr(self, name)}")
        if not 0 < self.starts_share <= 1:
            raise ValueError(f"starts_share must be above 0 and at most 1, not {self.starts_share}")
        if self.starts_share < 1 and not self.from_starts:
            raise ValueError("starts_share is of rows that begin where documents do; set from_starts too")
        if not 0 < self.val_fraction < 1:
            raise ValueError(f"val_fraction must lie between 0 and 1, not {self.val_fraction}")
        if self.width % self.heads and not self.init:
            raise ValueError(f"width {self.width} does not divide into {self.heads} heads; change one of them")

    @property
    def prompt_counts(self) -> float:
        """What a token before the answer counts in the training loss; 1 where there are no answers."""
        return self.prompt_weight if self.answer_after else 1.0

    def in_force(self, step: int) -> tuple[int, float]:
        """Length of the schedule and scale of the learning rates at `step` (0-based)."""
        return next(((s.steps, s.lr_scale) for s in self.before if step < s.until), (self.steps, self.lr_scale))

    def to_json(self) -> str:
        """The content of a run's `config.json`."""
        pretty = msgspec.json.format(msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(self)}), indent=2)
        return pretty.decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "TrainConfig":
        """Read `config.json` of a run. Raises UserError for a newer format or a file that is none."""
        name = "the run's config.json"
        if from_json(text, _Format, name).format > FORMAT:
            raise UserError("this run was written by a newer gpttui; upgrade gpttui to open it")
        return from_json(text, cls, name)


class _Format(msgspec.Struct):
    format: int = 0


def changed(config: TrainConfig, **fields: Any) -> TrainConfig:
    """A copy with other fields, checked. Raises UserError, naming the field, for values that cannot be."""
    try:
        return msgspec.convert(msgspec.to_builtins(config) | fields, TrainConfig, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise UserError(one_line(error)) from error


def changed_at(config: TrainConfig, step: int, **fields: Any) -> TrainConfig:
    """A copy with other fields from `step` on; what the schedule was until then stays in `before`."""
    since = config.before[-1].until if config.before else 0
    until_now = (Stretch(step, config.steps, config.lr_scale),) if step > since else ()
    return changed(config, **fields, before=msgspec.to_builtins((*config.before, *until_now)))


def taken_up(config: TrainConfig, stored: TrainConfig, step: int) -> TrainConfig:
    """The config of a run that goes on at `step`, where `stored` is what it had: the same schedule again, or `config`'s
    own from here on."""
    own = any(getattr(config, name) != getattr(stored, name) for name in ("steps", "minutes", "lr", "lr_scale"))
    kept = [stretch for stretch in stored.before if stretch.until <= step or not own]
    return changed(config, before=msgspec.to_builtins(kept))
