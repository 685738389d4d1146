"""A GPT, whole, in one file.

Text comes in as token ids. Each id is looked up as a vector; a stack of blocks lets the vectors talk to each other
(attention) and asks each of them the same long list of questions (the MLP); the last vector, compared with every
token's vector, gives one logit per token: how likely each is to come next.

The default is GPT-2 (Radford et al. 2019) with Hugging Face's parameter names: pre-LayerNorm, learned positions,
tanh-GELU, tied head. The switches of `GPTConfig` turn the same code into a modern one: RMSNorm, rotary positions (Su
et al. 2021), QK-norm (Henry et al. 2020), SwiGLU (Shazeer 2020) or ReLU^2 (So et al. 2021), grouped queries (Ainslie
et al. 2023). Nothing about screens, training or sampling belongs here. Shape letters, used in every comment below:

    B batch    T positions in this pass    S positions seen so far, cache included    C = d_model
    H heads    K kv heads (H unless grouped)    D = C / H, size of a head    V vocabulary
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from gpttui.model.kv_cache import KVCache
from gpttui.model.taps import Tap, is_fused, tapped

Activation = Literal["gelu", "gelu_tanh", "relu", "relu2", "swiglu"]


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
    d_mlp: int | None = None
    """Neurons of each MLP. None: four times `d_model` (8/3 for SwiGLU). 0: attention only."""
    norm: Literal["layernorm", "rmsnorm"] = "layernorm"
    norm_eps: float = 1e-5
    positions: Literal["learned", "rope", "none"] = "learned"
    rope_base: float = 10_000.0
    activation: Activation = "gelu_tanh"
    qk_norm: bool = False
    qk_gain: bool = False
    """With `qk_norm`: each head learns how sharply it looks; without, no score can exceed sqrt(D)."""
    bias: bool = True
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
        if self.d_model % self.n_head:
            raise ValueError(f"width {self.d_model} does not divide into {self.n_head} heads; change one of them")
        if self.n_head % self.kv_heads:
            raise ValueError(f"{self.n_head} heads do not divide into {self.kv_heads} key/value heads")
        if self.positions == "rope" and self.d_head % 2:
            raise ValueError(f"rotary positions need an even head size, not {self.d_head}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout}")

    @property
    def d_head(self) -> int:
        return self.d_model // self.n_head

    @property
    def kv_heads(self) -> int:
        return self.n_kv_head or self.n_head

    @property
    def mlp_width(self) -> int:
        if self.d_mlp is not None:
            return self.d_mlp
        if self.activation == "swiglu":  # three matrices instead of two: keep the parameter count
            return 8 * math.ceil(self.d_model / 3)
        return 4 * self.d_model


class Norm(nn.Module):
    """LayerNorm or RMSNorm over the last axis, so that every vector arrives at the same scale."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.shape, self.eps = (config.d_model,), config.norm_eps
        self.rms = config.norm == "rmsnorm"
        self.weight = nn.Parameter(torch.ones(config.d_model))
        self.bias = nn.Parameter(torch.zeros(config.d_model)) if config.bias and not self.rms else None

    def forward(self, x: Tensor) -> Tensor:
        if self.rms:
            return F.rms_norm(x, self.shape, self.weight, self.eps)
        return F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


def rotary_table(config: GPTConfig) -> Tensor:
    """Cosines and sines of rotary positions: `[2, context, D/2]`."""
    rates = config.rope_base ** -(torch.arange(0, config.d_head, 2).float() / config.d_head)  # [D/2]
    angles = torch.arange(config.context).float()[:, None] * rates
    return torch.stack((angles.cos(), angles.sin()))


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + D/2]) of `x` `[B, H, T, D]` by its position's angle, `table` `[2, T, D/2]`."""
    cos, sin = table.to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Attention(nn.Module):
    """Every vector asks (query), every earlier vector answers (key), and what they say (value) is summed by fit."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.config, self.layer, self.site = config, layer, f"blocks.{layer}.attn."
        heads = config.n_head + 2 * config.kv_heads
        self.c_attn = nn.Linear(config.d_model, heads * config.d_head, bias=config.bias)  # q, k and v at once
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        self.qk_gain = initial_gain(config) if config.qk_norm and config.qk_gain else None  # [H, 1, 1]
        self.dropout = config.dropout
        self.pattern_dropout = config.dropout if config.pattern_dropout is None else config.pattern_dropout

    def forward(self, x: Tensor, rotary: Tensor | None, cache: KVCache | None, tap: Tap | None) -> Tensor:
        H, K, D = self.config.n_head, self.config.kv_heads, self.config.d_head
        B, T, C = x.shape
        qkv = self.c_attn(x).split((H * D, K * D, K * D), dim=-1)
        q, k, v = (t.view(B, T, -1, D).transpose(1, 2) for t in qkv)  # [B, H, T, D], [B, K, T, D] twice
        if self.config.qk_norm:
            q, k = F.rms_norm(q, (D,)), F.rms_norm(k, (D,))
            q = q if self.qk_gain is None else q * self.qk_gain
        if rotary is not None:
            q, k = rotate(q, rotary), rotate(k, rotary)
        q = tapped(tap, self.site + "q", q)
        k = tapped(tap, self.site + "k", k)
        v = tapped(tap, self.site + "v", v)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)  # [B, K, S, D]
        if K != H:
            k, v = (t.repeat_interleave(H // K, dim=1) for t in (k, v))  # [B, H, S, D]
        z = self.fused(q, k, v) if is_fused(tap) else self.spelled_out(q, k, v, tap)  # [B, H, T, D]
        z = tapped(tap, self.site + "z", z)
        out = self.c_proj(z.transpose(1, 2).reshape(B, T, C))
        return tapped(tap, self.site + "out", F.dropout(out, self.dropout, self.training))

    def fused(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """PyTorch's own kernel: the same numbers as `spelled_out`, without the pattern to look at."""
        if q.device.type == "cpu" and torch.is_autocast_enabled("cpu"):  # the kernel is slower there in half precision
            with torch.autocast("cpu", enabled=False):
                return self.fused(q.float(), k.float(), v.float())
        T, S = q.size(2), k.size(2)
        mask = causal_mask(T, S, q.device) if 1 < T < S else None
        dropout = self.pattern_dropout if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=T == S > 1)

    def spelled_out(self, q: Tensor, k: Tensor, v: Tensor, tap: Tap | None) -> Tensor:
        """softmax(q k^T / sqrt(D)) v, with each stage offered to the tap."""
        T, S = q.size(2), k.size(2)
        scores = q @ k.transpose(-2, -1) * (1.0 / math.sqrt(q.size(-1)))  # [B, H, T, S]
        if T > 1:
            scores = scores.masked_fill(~causal_mask(T, S, q.device), -math.inf)
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


def causal_mask(T: int, S: int, device: torch.device) -> Tensor:
    """`[T, S]`, true where a query may look: at itself and at what came before. Queries are the last T of S."""
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


class MLP(nn.Module):
    """The same long list of questions, put to every vector at once: expand, activate, contract."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.kind: Activation = config.activation
        self.dropout, self.site = config.dropout, f"blocks.{layer}.mlp."
        width = config.mlp_width
        self.c_fc = nn.Linear(config.d_model, width, bias=config.bias)
        self.c_gate = nn.Linear(config.d_model, width, bias=config.bias) if self.kind == "swiglu" else None
        self.c_proj = nn.Linear(width, config.d_model, bias=config.bias)

    def forward(self, x: Tensor, tap: Tap | None) -> Tensor:
        pre = tapped(tap, self.site + "pre", self.c_fc(x))  # [B, T, d_mlp]
        post = activate(pre, self.kind)
        if self.c_gate is not None:
            post = post * self.c_gate(x)
        post = tapped(tap, self.site + "post", post)
        out = F.dropout(self.c_proj(post), self.dropout, self.training)  # [B, T, C]
        return tapped(tap, self.site + "out", out)


def activate(x: Tensor, kind: Activation) -> Tensor:
    """The nonlinearity between an MLP's two matrices."""
    match kind:
        case "gelu_tanh":
            return F.gelu(x, approximate="tanh")
        case "gelu":
            return F.gelu(x)
        case "relu":
            return F.relu(x)
        case "relu2":
            return F.relu(x).square()
        case "swiglu":
            return F.silu(x)


class Block(nn.Module):
    """Read the residual stream, add what attention found; read it again, add what the MLP thinks of it."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.site = f"blocks.{layer}."
        self.ln_1 = Norm(config)
        self.attn = Attention(config, layer)
        self.ln_2 = Norm(config) if config.mlp_width else None
        self.mlp = MLP(config, layer) if config.mlp_width else None

    def forward(self, x: Tensor, rotary: Tensor | None, cache: KVCache | None, tap: Tap | None) -> Tensor:
        x = x + self.attn(tapped(tap, self.site + "ln1.normalized", self.ln_1(x)), rotary, cache, tap)
        x = tapped(tap, self.site + "resid_mid", x)
        if self.ln_2 is not None and self.mlp is not None:
            x = x + self.mlp(tapped(tap, self.site + "ln2.normalized", self.ln_2(x)), tap)
        return tapped(tap, self.site + "resid_post", x)


class Stack(nn.Module):
    """Embeddings, blocks and the final norm, under the names Hugging Face gives them."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.d_model)
        self.wpe = nn.Embedding(config.context, config.d_model) if config.positions == "learned" else None
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = Norm(config)


class Unembedding(nn.Linear):
    """Every token's vector dotted with every position's: from `[..., C]` to logits `[..., V]`.

    On a CPU a large vocabulary is taken in parts that fit a core's cache: two thirds of the time for GPT-2's (with MKL,
    on one AMD machine). One vector reads each weight once either way, and training would have to put the gradient's
    parts together again.
    """

    PART = 1024

    def forward(self, x: Tensor) -> Tensor:
        one, small = x.numel() == self.in_features, self.out_features < 4 * self.PART
        if one or small or torch.is_grad_enabled() or x.device.type != "cpu":
            return F.linear(x, self.weight, self.bias)
        return torch.cat([F.linear(x, part) for part in torch.split(self.weight, self.PART)], dim=-1)


class GPT(nn.Module):
    """Token ids in, logits out."""

    rotary: Tensor | None

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = Stack(config)
        self.lm_head = Unembedding(config.d_model, config.vocab_size, bias=False)
        if config.tied:
            self.lm_head.weight = self.transformer.wte.weight
        table = rotary_table(config) if config.positions == "rope" else None
        self.register_buffer("rotary", table, persistent=False)
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
        """Each id's vector, plus its position's: the residual stream `[B, T, C]`, and the rotary table if any."""
        end = start + idx.size(1)
        if end > self.config.context:
            raise ValueError(f"{end} positions do not fit a context of {self.config.context}")
        x = tapped(tap, "embed", self.transformer.wte(idx))  # [B, T, C]
        if self.transformer.wpe is not None:
            x = x + tapped(tap, "pos_embed", self.transformer.wpe.weight[start:end].expand_as(x))
        x = F.dropout(x, self.config.dropout, self.training)
        return x, None if self.rotary is None else self.rotary[:, start:end]

    def unembed(self, x: Tensor, tap: Tap | None = None) -> Tensor:
        """The final norm, then every token's vector dotted with every position's: logits `[B, T, V]`."""
        x = tapped(tap, "ln_final.normalized", self.transformer.ln_f(x))
        return tapped(tap, "logits", self.lm_head(x))
