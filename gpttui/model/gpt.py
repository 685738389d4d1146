"""A GPT, whole, in one file.

Text comes in as token ids. Each id is looked up as a vector; a stack of blocks lets the vectors talk to each other
(attention) and asks each of them the same long list of questions (the MLP); the last vector, compared with every
token's vector, gives one logit per token: how likely each is to come next.

The default is GPT-2 (Radford et al. 2019) with Hugging Face's parameter names: pre-LayerNorm, learned positions,
tanh-GELU, tied head. The switches of `GPTConfig` turn the same code into a modern one: RMSNorm, rotary positions (Su
et al. 2021), QK-norm (Henry et al. 2020), SwiGLU (Shazeer 2020) or ReLU^2 (So et al. 2021), grouped queries (Ainslie
et al. 2023), sliding windows (Beltagy et al. 2020). Which model family sets which switch is written down in
`gpttui.storage.families`. Nothing about screens, training or sampling belongs here. Shape letters, used in every
comment below:

    B batch    T positions in this pass    S positions seen so far, cache included    C = d_model
    H heads    K kv heads (H unless grouped)    D size of a head (C / H unless free)    V vocabulary
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from gpttui.model.kv_cache import KVCache
from gpttui.model.taps import Tap, is_fused, tapped

Activation = Literal["gelu", "gelu_tanh", "gelu_quick", "silu", "relu", "relu2", "swiglu", "geglu", "reglu"]
GATED = ("swiglu", "geglu", "reglu")


class RopeScaling(NamedTuple):
    """How slow rotations are slowed down further, so that a longer context looks like the one trained on."""

    factor: float
    low: float = 0.0
    """Rates that turn fewer times than this in `context` positions are divided by `factor`, …"""
    high: float = 0.0
    """… those that turn more often than this are kept, and between the two it is something between (Llama 3)."""
    context: int = 0
    """Of the training before. 0: every rate is divided."""


@dataclass(frozen=True, slots=True)
class GPTConfig:
    """The shape of a GPT. Raises ValueError, in one line, for shapes that cannot be."""

    vocab_size: int
    context: int
    """Most positions a pass can see."""
    n_layer: int
    n_head: int
    d_model: int
    n_kv_head: int | None = None
    """Key and value heads; fewer than `n_head` means grouped queries. None: as many as heads."""
    head_size: int | None = None
    """Of each head. None: the heads share `d_model` out among them."""
    d_mlp: int | None = None
    """Neurons of each MLP. None: four times `d_model` (8/3 for SwiGLU). 0: attention only."""
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_eps: float = 1e-5
    norm_place: Literal["before", "after", "both"] = "before"
    """Whether a norm stands before attention and MLP, behind them, or both ("sandwich norms")."""
    parallel: bool = False
    """Attention and MLP of a block read the same vector, instead of one after the other (GPT-NeoX)."""
    positions: Literal["learned", "rope", "none"] = "learned"
    rope_base: float = 10_000.0
    rope_bases: tuple[float, ...] = ()
    """Of each layer, where they differ; 0: this layer does not rotate. Empty: `rope_base` everywhere."""
    rope_scaling: RopeScaling | None = None
    """Of the layers whose base is `rope_base`."""
    rotary_share: float = 1.0
    """Of each head's dimensions: how many are rotated, from the first on."""
    windows: tuple[int, ...] = ()
    """Of each layer: how many positions a query sees, itself included; 0: all. Empty: all, everywhere."""
    embed_scale: float = 1.0
    """What a token's vector is multiplied by as it enters the stream."""
    logit_cap: float = 0.0
    """Logits are bent so that none goes beyond it, either way ("soft cap"); 0: they are as they come."""
    activation: Activation = "gelu_tanh"
    qk_norm: bool = False
    qk_gain: bool = False
    """With `qk_norm`: each head learns how sharply it looks; without, no score can exceed sqrt(D)."""
    qk_weight: Literal["none", "head", "projection"] = "none"
    """With `qk_norm`: learned weights, for a head's dimensions (Qwen3), or for all heads normalised as one (OLMo 2).
    Only with them `norm_eps` counts."""
    bias: bool = True
    qkv_bias: bool | None = None
    """Of queries, keys and values. None: as `bias`."""
    tied: bool = True
    """The output head is the token embedding itself."""
    zero_init_outputs: bool = False
    """Attention and MLP start by adding nothing to the residual stream."""
    dropout: float = 0.0
    pattern_dropout: float | None = None
    """Of the attention pattern alone. None: as `dropout`. 0 keeps the fused kernel, three times faster on a CPU."""

    def __post_init__(self) -> None:
        for name in ("vocab_size", "context", "n_layer", "n_head", "d_model"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.head_size is None and self.d_model % self.n_head:
            raise ValueError(f"width {self.d_model} does not divide into {self.n_head} heads; change one of them")
        if self.n_head % self.kv_heads:
            raise ValueError(f"{self.n_head} heads do not divide into {self.kv_heads} key/value heads")
        if self.positions == "rope" and self.rotary_share == 1 and self.d_head % 2:
            raise ValueError(f"rotary positions need an even head size, not {self.d_head}")
        if self.positions == "rope" and (self.rotary_dims % 2 or not 0 < self.rotary_dims <= self.d_head):
            raise ValueError(f"rotary positions need an even number of a head's {self.d_head}, not {self.rotary_dims}")
        if self.norm_place != "before" and self.norm != "rmsnorm":
            raise ValueError("a norm behind attention and MLP is an RMSNorm")
        for name in ("rope_bases", "windows"):
            if len(getattr(self, name)) not in (0, self.n_layer):
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {self.n_layer} layers")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout}")

    @property
    def d_head(self) -> int:
        return self.head_size or self.d_model // self.n_head

    @property
    def rotary_dims(self) -> int:
        """Dimensions of a head that are rotated."""
        return int(self.d_head * self.rotary_share)

    def layer_base(self, layer: int) -> float:
        """The base of a layer's rotations; 0 where it has none."""
        if self.positions != "rope":
            return 0.0
        return self.rope_bases[layer] if self.rope_bases else self.rope_base

    @property
    def kv_heads(self) -> int:
        return self.n_kv_head or self.n_head

    @property
    def mlp_width(self) -> int:
        if self.d_mlp is not None:
            return self.d_mlp
        if self.activation in GATED:  # three matrices instead of two: keep the parameter count
            return 8 * math.ceil(self.d_model / 3)
        return 4 * self.d_model


class Norm(nn.Module):
    """LayerNorm or RMSNorm over the last axis, so that every vector arrives at the same scale."""

    def __init__(self, config: GPTConfig, size: int | None = None) -> None:
        super().__init__()
        self.shape, self.eps = (size or config.d_model,), config.norm_eps
        self.rms = config.norm == "rmsnorm"
        self.weight = nn.Parameter(torch.ones(self.shape))
        self.bias = nn.Parameter(torch.zeros(self.shape)) if config.bias and not self.rms else None

    def forward(self, x: Tensor) -> Tensor:
        if self.rms:
            return F.rms_norm(x.to(self.weight.dtype), self.shape, self.weight, self.eps)
        return F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


def rotary_bases(config: GPTConfig) -> list[float]:
    """The different bases that layers rotate by."""
    return sorted({config.layer_base(layer) for layer in range(config.n_layer)} - {0.0})


def rotary_tables(config: GPTConfig) -> Tensor | None:
    """Cosines and sines for each of `rotary_bases`: `[base, 2, context, R/2]`, R the dimensions rotated."""
    tables = []
    for base in rotary_bases(config):
        rates = 1.0 / base ** (torch.arange(0, config.rotary_dims, 2).float() / config.rotary_dims)  # [R/2]
        if config.rope_scaling is not None and base == config.rope_base:
            rates = slowed(rates, config.rope_scaling)
        angles = torch.arange(config.context).float()[:, None] * rates
        tables.append(torch.stack((angles.cos(), angles.sin())))
    return torch.stack(tables) if tables else None


def slowed(rates: Tensor, scaling: RopeScaling) -> Tensor:
    """Rates in radians a position, the slow ones divided by the factor (Llama 3's `apply_scaling`)."""
    if not scaling.context:
        return rates / scaling.factor
    turns = scaling.context / (2 * math.pi / rates)
    kept = ((turns - scaling.low) / (scaling.high - scaling.low)).clamp(0, 1)
    return (1 - kept) * rates / scaling.factor + kept * rates


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + R/2]) of `x` `[B, H, T, D]` by its position's angle, `table` `[2, T, R/2]`."""
    cos, sin = table.to(x.dtype)
    R = 2 * cos.size(-1)
    a, b = x[..., :R].chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos, x[..., R:]), dim=-1)


class Attention(nn.Module):
    """Every vector asks (query), every earlier vector answers (key), and what they say (value) is summed by fit."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.config, self.layer, self.site = config, layer, f"blocks.{layer}.attn."
        H, K, D = config.n_head, config.kv_heads, config.d_head
        bias = config.bias if config.qkv_bias is None else config.qkv_bias
        self.c_attn = nn.Linear(config.d_model, (H + 2 * K) * D, bias=bias)  # q, k and v at once
        self.c_proj = nn.Linear(H * D, config.d_model, bias=config.bias)
        base = config.layer_base(layer)
        self.table = rotary_bases(config).index(base) if base else None
        self.window = config.windows[layer] if config.windows else 0
        self.whole = config.qk_weight == "projection"
        q_size, k_size = {"none": (0, 0), "head": (D, D), "projection": (H * D, K * D)}[config.qk_weight]
        self.q_norm = Norm(config, q_size) if q_size else None
        self.k_norm = Norm(config, k_size) if k_size else None
        self.qk_gain = initial_gain(config) if config.qk_norm and config.qk_gain else None  # [H, 1, 1]
        self.dropout = config.dropout
        self.pattern_dropout = config.dropout if config.pattern_dropout is None else config.pattern_dropout

    def forward(self, x: Tensor, rotary: Tensor | None, cache: KVCache | None, tap: Tap | None) -> Tensor:
        H, K, D = self.config.n_head, self.config.kv_heads, self.config.d_head
        B, T, _ = x.shape
        q, k, v = self.qkv(x, rotary, tap)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)  # [B, K, S, D]
        if K != H:
            k, v = (t.repeat_interleave(H // K, dim=1) for t in (k, v))  # [B, H, S, D]
        z = self.fused(q, k, v) if is_fused(tap) else self.spelled_out(q, k, v, tap)  # [B, H, T, D]
        z = tapped(tap, self.site + "z", z)
        out = self.c_proj(z.transpose(1, 2).reshape(B, T, H * D))  # [B, T, C]
        return F.dropout(out, self.dropout, self.training)

    def qkv(self, x: Tensor, rotary: Tensor | None, tap: Tap | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries `[B, H, T, D]`, keys and values `[B, K, T, D]` of vectors `x` `[B, T, C]`, as they meet."""
        H, K, D = self.config.n_head, self.config.kv_heads, self.config.d_head
        B, T, _ = x.shape
        q, k, v = self.c_attn(x).split((H * D, K * D, K * D), dim=-1)
        if self.whole:
            q, k = self.normed(q, k)
        q, k, v = (t.view(B, T, -1, D).transpose(1, 2) for t in (q, k, v))  # [B, H, T, D], [B, K, T, D] twice
        if self.config.qk_norm and not self.whole:
            q, k = self.normed(q, k)
        if rotary is not None and self.table is not None:
            q, k = rotate(q, rotary[self.table]), rotate(k, rotary[self.table])
        return tapped(tap, self.site + "q", q), tapped(tap, self.site + "k", k), tapped(tap, self.site + "v", v)

    def normed(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """QK-norm over the last axis, so that what counts is where queries and keys point."""
        if self.q_norm is not None and self.k_norm is not None:
            return self.q_norm(q), self.k_norm(k)
        D = self.config.d_head
        q, k = F.rms_norm(q, (D,)), F.rms_norm(k, (D,))
        return (q if self.qk_gain is None else q * self.qk_gain), k

    def fused(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """PyTorch's own kernel: the same numbers as `spelled_out`, without the pattern to look at."""
        if q.device.type == "cpu" and torch.is_autocast_enabled("cpu"):  # the kernel is slower there in half precision
            with torch.autocast("cpu", enabled=False):
                return self.fused(q.float(), k.float(), v.float())
        T, S = q.size(2), k.size(2)
        mask = self.mask(T, S, q.device) if T != S or self.sees_less(S) else None
        dropout = self.pattern_dropout if self.training else 0.0
        causal = mask is None and T == S > 1
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal)

    def sees_less(self, S: int) -> bool:
        """Whether the window hides some of `S` positions."""
        return 0 < self.window < S

    def mask(self, T: int, S: int, device: torch.device) -> Tensor | None:
        """`[T, S]`, true where a query may look; None where all of them may look everywhere."""
        return causal_mask(T, S, device, self.window) if T > 1 or self.sees_less(S) else None

    def spelled_out(self, q: Tensor, k: Tensor, v: Tensor, tap: Tap | None) -> Tensor:
        """softmax(q k^T / sqrt(D)) v, with each stage offered to the tap."""
        T, S = q.size(2), k.size(2)
        scores = q @ k.transpose(-2, -1) * (1.0 / math.sqrt(q.size(-1)))  # [B, H, T, S]
        if (mask := self.mask(T, S, q.device)) is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        scores = tapped(tap, self.site + "scores", scores)
        pattern = tapped(tap, self.site + "pattern", scores.softmax(dim=-1))
        pattern = F.dropout(pattern, self.pattern_dropout, self.training)
        return pattern @ v


def initial_gain(config: GPTConfig) -> nn.Parameter:
    """One factor per head, `[H, 1, 1]`: with it one key among a whole context can have nearly all of the attention.

    Henry et al. 2020 start the factor of a cosine at log2(L^2 - L); a score is sqrt(D) times the cosine already.
    """
    L = max(2, config.context)
    return nn.Parameter(torch.full((config.n_head, 1, 1), math.log2(L * L - L) / math.sqrt(config.d_head)))


def causal_mask(T: int, S: int, device: torch.device, window: int = 0) -> Tensor:
    """`[T, S]`, true where a query may look: at itself and at what came before, `window` positions in all (0: any).

    Queries are the last T of S.
    """
    mask = torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)
    return mask.triu(S - T - window + 1) if window else mask


class MLP(nn.Module):
    """The same long list of questions, put to every vector at once: expand, activate, contract."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.kind: Activation = config.activation
        self.dropout, self.site = config.dropout, f"blocks.{layer}.mlp."
        width = config.mlp_width
        self.c_fc = nn.Linear(config.d_model, width, bias=config.bias)
        self.c_gate = nn.Linear(config.d_model, width, bias=config.bias) if self.kind in GATED else None
        self.c_proj = nn.Linear(width, config.d_model, bias=config.bias)

    def forward(self, x: Tensor, tap: Tap | None) -> Tensor:
        pre = tapped(tap, self.site + "pre", self.c_fc(x))  # [B, T, d_mlp]
        post = activate(pre, self.kind)
        if self.c_gate is not None:
            post = post * self.c_gate(x)
        post = tapped(tap, self.site + "post", post)
        return F.dropout(self.c_proj(post), self.dropout, self.training)  # [B, T, C]


def activate(x: Tensor, kind: Activation) -> Tensor:
    """The nonlinearity between an MLP's two matrices."""
    match kind:
        case "gelu_tanh" | "geglu":
            return F.gelu(x, approximate="tanh")
        case "gelu":
            return F.gelu(x)
        case "relu" | "reglu":
            return F.relu(x)
        case "relu2":
            return F.relu(x).square()
        case "gelu_quick":
            return x * torch.sigmoid(1.702 * x)
        case "silu" | "swiglu":
            return F.silu(x)


class Block(nn.Module):
    """Read the residual stream and add what attention found; read it again and add what the MLP computed."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.site, self.parallel = f"blocks.{layer}.", config.parallel
        before, behind = config.norm_place != "after", config.norm_place != "before"
        has_mlp = config.mlp_width > 0
        self.ln_1 = norm_or_nothing(config, before)
        self.attn = Attention(config, layer)
        self.ln_1_post = norm_or_nothing(config, behind)
        self.ln_2 = norm_or_nothing(config, before and has_mlp)
        self.mlp = MLP(config, layer) if has_mlp else None
        self.ln_2_post = norm_or_nothing(config, behind and has_mlp)

    def forward(self, x: Tensor, rotary: Tensor | None, cache: KVCache | None, tap: Tap | None) -> Tensor:
        read = tapped(tap, self.site + "ln1.normalized", self.ln_1(x))
        found = tapped(tap, self.site + "attn.out", self.ln_1_post(self.attn(read, rotary, cache, tap)))
        mid = tapped(tap, self.site + "resid_mid", x + found)
        if self.mlp is None:
            return tapped(tap, self.site + "resid_post", mid)
        read = tapped(tap, self.site + "ln2.normalized", self.ln_2(x if self.parallel else mid))
        computed = tapped(tap, self.site + "mlp.out", self.ln_2_post(self.mlp(read, tap)))
        return tapped(tap, self.site + "resid_post", mid + computed)


def norm_or_nothing(config: GPTConfig, wanted: bool) -> Norm | nn.Identity:
    """A norm where a family has one, else what leaves a vector as it is."""
    return Norm(config) if wanted else nn.Identity()


class Stack(nn.Module):
    """Embeddings, blocks and the final norm, under the names Hugging Face gives them."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.wpe = nn.Embedding(config.context, config.d_model) if config.positions == "learned" else None
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = Norm(config)


class Unembedding(nn.Linear):
    """Every token's vector dotted with every position's: from `[..., C]` to logits `[..., V]`, capped or not.

    Logits are float32 where weights are of half precision: rounded to three digits, a probability would be off by 6 %.
    On a CPU a large vocabulary is taken in parts that fit a core's cache: two thirds of the time for GPT-2's (with MKL,
    on one AMD machine). One vector reads each weight once either way, and training would have to put the gradient's
    parts together again.
    """

    PART = 1024

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config.d_model, config.vocab_size, bias=False)
        self.cap = config.logit_cap

    def forward(self, x: Tensor) -> Tensor:
        logits = self.uncapped(x)
        return self.cap * torch.tanh(logits / self.cap) if self.cap else logits

    def uncapped(self, x: Tensor) -> Tensor:
        half, parts = self.weight.itemsize < 4, torch.split(self.weight, self.PART)
        one, small = x.numel() == self.in_features, self.out_features < 4 * self.PART
        if half and not torch.is_grad_enabled():
            return torch.cat([F.linear(x.float(), part.float()) for part in parts], dim=-1)
        if one or small or torch.is_grad_enabled() or x.device.type != "cpu":
            return F.linear(x, self.weight)
        return torch.cat([F.linear(x, part) for part in parts], dim=-1)


class GPT(nn.Module):
    """Token ids in, logits out."""

    rotary: Tensor | None

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = Stack(config)
        self.lm_head = Unembedding(config)
        if config.tied:
            self.lm_head.weight = self.transformer.wte.weight
        self.register_buffer("rotary", rotary_tables(config), persistent=False)
        self.apply(self._init_weights)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):  # these add to the residual stream, 2 per block: keep its variance
                std = 0.0 if config.zero_init_outputs else 0.02 / math.sqrt(2 * config.n_layer)
                nn.init.normal_(parameter, std=std)

    @staticmethod
    def _init_weights(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    @property
    def n_params(self) -> int:
        """Every weight once (a tied head is the embedding)."""
        return sum(p.numel() for p in self.parameters())

    def new_cache(self, batch_size: int = 1, capacity: int | None = None) -> KVCache:
        """An empty cache for passes of this model: `capacity` positions (the context, unless told otherwise)."""
        config, weight = self.config, self.lm_head.weight
        sizes = config.n_layer, config.kv_heads, config.d_head, capacity or config.context
        return KVCache(*sizes, batch_size, device=weight.device, dtype=weight.dtype)

    def forward(self, idx: Tensor, *, cache: KVCache | None = None, tap: Tap | None = None) -> Tensor:
        """Logits `[B, T, V]` for token ids `idx` `[B, T]`, which follow the positions already in `cache`.

        Raises ValueError where cache and ids together are longer than the context.
        """
        x, rotary = self.embed(idx, 0 if cache is None else cache.length, tap)
        for block in self.transformer.h:
            x = block(x, rotary, cache, tap)
        if cache is not None:
            cache.advance(idx.size(1))
        return self.unembed(x, tap)

    def embed(self, idx: Tensor, start: int = 0, tap: Tap | None = None) -> tuple[Tensor, Tensor | None]:
        """Each id's vector, plus its position's: the residual stream `[B, T, C]`, and the rotary tables if any."""
        end = start + idx.size(1)
        if end > self.config.context:
            raise ValueError(f"{end} positions do not fit a context of {self.config.context}")
        x = self.transformer.wte(idx)  # [B, T, C]
        x = tapped(tap, "embed", x * self.config.embed_scale if self.config.embed_scale != 1 else x)
        if self.transformer.wpe is not None:
            x = x + tapped(tap, "pos_embed", self.transformer.wpe.weight[start:end].expand_as(x))
        x = F.dropout(x, self.config.dropout, self.training)
        return x, None if self.rotary is None else self.rotary[:, :, start:end]

    def unembed(self, x: Tensor, tap: Tap | None = None) -> Tensor:
        """The final norm, then every token's vector dotted with every position's: logits `[B, T, V]`."""
        x = tapped(tap, "ln_final.normalized", self.transformer.ln_f(x))
        return tapped(tap, "logits", self.lm_head(x))
