"""Direct logit attribution: which part of the model put how much into one token's logit.

The last residual vector is a sum: embedding, position, every head, every MLP, every bias. With the final norm's scale
held at what it was, the logit is linear in that vector, so each term has its own share, and the shares add up to the
logit (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"). Direct only: what a part does through
later parts counts as theirs. Numbers are raw: nothing is centred over the vocabulary, and
where logits are capped, the shares are of the logit before the cap.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gpttui.inference.arrays import array, wide
from gpttui.inference.trace import Trace, blocks, mlp_of, stops
from gpttui.model.gpt import GPT, Attention, GPTConfig, Norm
from gpttui.protocol.stream import Shares
from gpttui.records import Array, frozen


def contribution_sites(config: GPTConfig) -> frozenset[str]:
    """The sites that `contributions` needs of a trace."""
    block = ["attn.z", "resid_mid", "resid_post"] + ["mlp.out"] * bool(config.mlp_width)
    block += ["mlp.post"] * (config.mlp_width > 0 and config.norm_place != "before")
    sites = {f"blocks.{i}.{name}" for i in range(config.n_layer) for name in block}
    return frozenset(sites | {"embed"} | ({"pos_embed"} if config.positions == "learned" else set()))


@torch.inference_mode()
def contributions(model: GPT, trace: Trace, position: int, token_ids: Sequence[int]) -> Shares:
    """Shares of the logits of `token_ids` at text position `position`. The trace must hold `contribution_sites`.

    Raises UserError where the position is outside the trace.
    """
    config, row, weights = model.config, trace.row(position), model.lm_head.weight.dtype
    terms = residual_terms(model, trace, row)
    final = trace.stop(stops(config)[-1])[row]
    read, final_bias = frozen_readout(model, final, token_ids)  # [token, C], [token]

    def share(x: Tensor) -> Array:
        return array((read @ x.reshape(-1, x.size(-1)).T).reshape(len(token_ids), *x.shape[:-1]))

    shares, bias = {name: share(x) for name, x in terms.items()}, array(final_bias)
    parts = (shares[name] for name in ("heads", "attn_biases", "mlps", "mlp_biases", "altered"))
    total = sum((x.reshape(len(x), -1).sum(axis=1) for x in parts), shares["embed"] + shares["pos_embed"])
    return Shares(
        position=trace.start + row,
        token_ids=tuple(token_ids),
        final_bias=bias,
        totals=frozen(total + bias),
        logits=array(wide(model.lm_head.weight[list(token_ids)]) @ wide(model.transformer.ln_f(final.to(weights)))),
        **shares,
    )


@torch.inference_mode()
def neuron_contributions(model: GPT, trace: Trace, position: int, token_id: int, layer: int) -> Array:
    """`[d_mlp]`: each neuron's share of the logit of `token_id`; their sum is the MLP's. Needs `mlp.post`."""
    row = trace.row(position)
    read, _ = frozen_readout(model, trace.stop(stops(model.config)[-1])[row], [token_id])
    mlp, post = mlp_of(model, layer), trace.tensors[f"blocks.{layer}.mlp.post"][row]
    behind = blocks(model)[layer].ln_2_post
    if isinstance(behind, Norm):
        read = read * frozen_gain(behind, mlp.c_proj(post))
    return array(read[0] @ wide(mlp.c_proj.weight) * wide(post))


def residual_terms(model: GPT, trace: Trace, row: int) -> dict[str, Tensor]:
    """The terms whose sum is the last residual vector at `row`, under `Shares`' names, each `[..., d_model]`."""
    config, here = model.config, stops(model.config)
    stream = torch.stack([trace.stop(stop)[row] for stop in here])  # [stop, C]
    empty = torch.zeros_like(stream[0])
    heads: list[Tensor] = []
    attn_biases: list[Tensor] = []
    mlps: list[Tensor] = []
    mlp_biases: list[Tensor] = []
    added: list[Tensor] = [stream[0]]
    for i, block in enumerate(blocks(model)):
        by_head = head_outputs(block.attn, trace.tensors[f"blocks.{i}.attn.z"][:, row])
        bias: Tensor = empty if block.attn.c_proj.bias is None else wide(block.attn.c_proj.bias)
        found, gain = by_head.sum(dim=0) + bias, frozen_gain(block.ln_1_post, by_head.sum(dim=0) + bias)
        heads.append(by_head * gain)
        attn_biases.append(bias * gain)
        added.append(found * gain)
        if block.mlp is None:
            mlps.append(empty)
            mlp_biases.append(empty)
            continue
        bias = empty if block.mlp.c_proj.bias is None else wide(block.mlp.c_proj.bias)
        if isinstance(block.ln_2_post, Norm):
            bias = bias * frozen_gain(block.ln_2_post, block.mlp.c_proj(trace.tensors[f"blocks.{i}.mlp.post"][row]))
        mlp_biases.append(bias)
        mlps.append(wide(trace.tensors[f"blocks.{i}.mlp.out"][row]) - mlp_biases[-1])
        added.append(mlps[-1] + mlp_biases[-1])
    # What a stop gained beyond its parts is not the model's doing; below rounding it is nobody's.
    rounding = max(1e-4, 4 * torch.finfo(model.lm_head.weight.dtype).eps)
    altered = torch.diff(stream, dim=0, prepend=torch.zeros_like(stream[:1])) - torch.stack(added)
    noise = rounding * (1 + stream.norm(dim=-1, keepdim=True))
    altered = torch.where(altered.norm(dim=-1, keepdim=True) > noise, altered, torch.zeros_like(altered))
    return {
        "embed": wide(trace.tensors["embed"][row]),
        "pos_embed": wide(trace.tensors["pos_embed"][row]) if config.positions == "learned" else empty,
        "heads": torch.stack(heads),  # [layer, head, C]
        "attn_biases": torch.stack(attn_biases),
        "mlps": torch.stack(mlps),
        "mlp_biases": torch.stack(mlp_biases),
        "altered": altered,  # [stop, C]
    }


def head_outputs(attn: Attention, z: Tensor) -> Tensor:
    """What each head adds to the residual stream, `[head, d_model]`, from its `z` `[head, d_head]`; biases apart."""
    H, D = z.shape
    return torch.einsum("hd,chd->hc", wide(z), wide(attn.c_proj.weight).view(-1, H, D))


def frozen_gain(norm: nn.Module, x: Tensor) -> Tensor:
    """What a norm behind attention or MLP multiplies each component of `x` by, `[C]`; 1 where there is none.

    An RMSNorm with its scale as it is at `x`; `GPTConfig` allows no other there.
    """
    if not isinstance(norm, Norm):
        return x.new_ones(())
    return wide(norm.weight) * (wide(x).square().mean() + norm.eps).rsqrt()


def frozen_readout(model: GPT, final: Tensor, token_ids: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The linear map from residual vectors to the logits of `token_ids`, with the norm's scale as it is at `final`.

    Returns directions `[token, d_model]` (dot them with a term) and what the norm's own bias adds `[token]`.
    """
    norm: Norm = model.transformer.ln_f
    unembed = wide(model.lm_head.weight[list(token_ids)])  # [token, C]
    read = unembed * norm.weight
    if norm.rms:
        scale = (final.square().mean() + norm.eps).rsqrt()
    else:
        read = read - read.mean(dim=-1, keepdim=True)  # centring the vector or the direction: the same dot product
        scale = (final.var(unbiased=False) + norm.eps).rsqrt()
    bias = unembed.new_zeros(len(unembed)) if norm.bias is None else unembed @ wide(norm.bias)
    return read * scale, bias
