"""Taps: the one mechanism by which activations are seen and changed.

A tap is called at named sites during a forward pass and returns the tensor that the pass goes on with. A recorder
returns what it was given; an ablation returns it with a slice zeroed. Site names and shapes follow TransformerLens
(https://github.com/TransformerLensOrg/TransformerLens), with the batch axis first and heads before positions:

    embed, pos_embed                    [B, T, d_model]
    blocks.i.ln1.normalized             [B, T, d_model]     what attention reads: after the norm's weight and bias
    blocks.i.attn.q                     [B, n_head, T, d_head]      as they meet: after QK-norm and RoPE, if any
    blocks.i.attn.k, .v                 [B, n_kv_head, T, d_head]   the rows of this pass, before the cache joins
    blocks.i.attn.scores, .pattern      [B, n_head, T, T_key]       scaled q.k, masked entries -inf; its softmax
    blocks.i.attn.z                     [B, n_head, T, d_head]      pattern @ v
    blocks.i.attn.out                   [B, T, d_model]             what attention adds to the residual stream
    blocks.i.resid_mid                  [B, T, d_model]
    blocks.i.ln2.normalized             [B, T, d_model]     what the MLP reads
    blocks.i.mlp.pre, .post             [B, T, d_mlp]       before and after the activation (the neurons)
    blocks.i.mlp.out                    [B, T, d_model]     what the MLP adds to the residual stream
    blocks.i.resid_post                 [B, T, d_model]
    ln_final.normalized                 [B, T, d_model]
    logits                              [B, T, vocab]

An attention-only model has no ln2 and mlp sites. A model with RoPE or no positions has no pos_embed.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from torch import Tensor

Tap = Callable[[str, Tensor], Tensor]


@runtime_checkable
class PlacedTap(Protocol):
    """A tap that changes certain positions of a text: it must know which one a pass starts with."""

    def at(self, start: int) -> Tap:
        """The tap for a pass whose first row is position `start` of the text."""

    def __call__(self, site: str, x: Tensor) -> Tensor: ...


def placed(tap: Tap | None, start: int) -> Tap | None:
    """`tap` for a pass that starts with position `start` of the text."""
    return tap.at(start) if isinstance(tap, PlacedTap) else tap


PATTERN_SITES = (".attn.scores", ".attn.pattern")


def is_fused(tap: Tap | None) -> bool:
    """Whether attention may stay fused: a tap that neither sees nor changes a pattern says so by `fused = True`."""
    return tap is None or bool(getattr(tap, "fused", False))


def tapped(tap: Tap | None, site: str, x: Tensor) -> Tensor:
    """`x` as the tap leaves it; `x` itself where there is no tap."""
    return x if tap is None else tap(site, x)


class Recorder:
    """A tap that changes nothing and keeps the tensors of the sites it was asked for (all of them by default)."""

    def __init__(self, sites: Iterable[str] | None = None) -> None:
        self.wanted = None if sites is None else frozenset(sites)
        self.fused = self.wanted is not None and not any(site.endswith(PATTERN_SITES) for site in self.wanted)
        self.sites: dict[str, Tensor] = {}

    def __call__(self, site: str, x: Tensor) -> Tensor:
        if self.wanted is None or site in self.wanted:
            self.sites[site] = x
        return x


class Chain:
    """A tap that applies the given taps in order."""

    def __init__(self, *taps: Tap) -> None:
        self.taps = taps
        self.fused = all(map(is_fused, taps))

    def __call__(self, site: str, x: Tensor) -> Tensor:
        for tap in self.taps:
            x = tap(site, x)
        return x


def chain(*taps: Tap | None) -> Tap | None:
    """One tap out of several (changes first, then the recorder sees what is used); None where there is none."""
    present = [tap for tap in taps if tap is not None]
    if len(present) < 2:
        return present[0] if present else None
    return Chain(*present)
