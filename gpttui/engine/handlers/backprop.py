"""The engine's answers to the view of one training step: take a step apart, and tell it part by part.

For: the live run's next step, or one step of a copy of the open model on the open text. What is computed is in
`gpttui.training.step_apart`.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from gpttui.engine.registry import answers
from gpttui.engine.state import Engine
from gpttui.errors import UserError
from gpttui.protocol import backprop
from gpttui.records import Array, frozen

if TYPE_CHECKING:
    from torch import Tensor

    from gpttui.training.step_apart import StepApart

MOST_CELLS = 1 << 16
"""Of one matrix part."""


@answers(backprop.TakeApart)
def take_apart(engine: Engine, request: backprop.TakeApart) -> backprop.TakenApart:
    from gpttui.training.step_recorder import step_on_text

    engine.apart = None
    was_running = False
    if request.on_text:
        session = engine.need_text()
        tokenizer = session.tokenizer
        engine.apart = step_on_text(session.model, session.ids.tolist())
    else:
        live = engine.need_live()
        tokenizer, was_running = live.trainer.data.tokenizer, live.state == "running"
        with engine.whole():
            engine.apart = live.take_apart()
    return summary(engine.apart, request.on_text, was_running, tokenizer.to_json() if request.tokenizer else "")


def summary(apart: "StepApart", on_text: bool, was_running: bool, tokenizer_json: str) -> backprop.TakenApart:
    from gpttui.training.gradients import layer_of

    config, names = apart.model.config, apart.names

    def norms(tensors: "list[Tensor]") -> Array:
        return frozen(torch.stack(torch._foreach_norm(tensors)).float().cpu().numpy())

    return backprop.TakenApart(
        on_text=on_text,
        was_running=was_running,
        step=apart.step,
        loss_nats=apart.loss_nats,
        vocab_size=config.vocab_size,
        rows=apart.rows,
        rows_in_all=apart.rows_in_all,
        tokens_in_all=sum(int((one.batch.targets >= 0).sum()) for one in apart.passes),
        context=apart.passes[0].batch.inputs.size(1),
        n_layer=config.n_layer,
        n_head=config.n_head,
        optimizer=apart.config.optimizer,
        grad_norm=apart.grad_norm,
        grad_clip=apart.config.grad_clip,
        clip_factor=apart.clip_factor,
        dropout=apart.config.dropout,
        smoothing=apart.config.label_smoothing,
        names=names,
        shapes=frozen(np.array([apart.table(name, "value").shape for name in names], np.int32)),
        parts=frozen(np.array([layer_of(name, config.n_layer) for name in names], np.int32)),
        by_muon=frozen(np.array([apart.rules[name].muon for name in names], np.int8)),
        weight_norms=norms([apart.before[name] for name in names]),
        gradient_norms=norms([apart.gradients[name] for name in names]),
        update_norms=norms([apart.update_of(name) for name in names]),
        tokenizer_json=tokenizer_json,
    )


def need_apart(engine: Engine) -> "StepApart":
    """The step. Raises UserError where none has been taken apart."""
    if engine.apart is None:
        raise UserError("no step has been taken apart; press f on the training screen")
    return engine.apart


@answers(backprop.LeaveStep)
def leave_step(engine: Engine, request: backprop.LeaveStep) -> backprop.StepLeft:
    engine.apart, live = None, engine.live
    if live is None:
        return backprop.StepLeft("")
    live.trainer.apart = None
    if request.go_on and live.state == "paused":
        live.pause(False)
    return backprop.StepLeft(live.state)


@answers(backprop.AskRow)
def ask_row(engine: Engine, request: backprop.AskRow) -> backprop.StepRow:
    apart = need_apart(engine)
    ids, targets, shares = apart.row(request.row)
    return backprop.StepRow(
        row=request.row,
        ids=as_ids(ids),
        targets=as_ids(targets.clamp(min=-1)),
        losses_nats=as_floats(apart.losses(request.row)),
        shares=as_floats(shares),
    )


@answers(backprop.AskOutputGradient)
def ask_output_gradient(engine: Engine, request: backprop.AskOutputGradient) -> backprop.OutputGradient:
    apart = need_apart(engine)
    _, targets, _ = apart.row(request.row)
    position = need(request.position, len(targets), "position")
    probs, errors, share = apart.logits_gradient(request.row, position)
    target = max(-1, int(targets[position]))
    k = min(max(1, request.k), len(errors))
    found = errors.abs().topk(k).indices
    if target >= 0 and target not in found.tolist():
        found[-1] = target
    found = found[errors[found].argsort(stable=True)]
    return backprop.OutputGradient(
        row=request.row,
        position=position,
        target=target,
        ids=as_ids(found),
        probs=as_floats(probs[found]),
        errors=as_floats(errors[found]),
        rest=len(errors) - k,
        rest_error=float(errors.sum() - errors[found].sum()) if k < len(errors) else 0.0,
        share=share,
    )


@answers(backprop.AskBackward)
def ask_backward(engine: Engine, request: backprop.AskBackward) -> backprop.Backward:
    apart = need_apart(engine)
    inputs, _, _ = apart.row(request.row)
    layers = apart.model.config.n_layer
    position, layer = need(request.position, len(inputs), "position"), need(request.layer, layers, "layer")
    slopes = apart.stream_gradients(request.row)  # [stop, T, C]
    pattern, passed = apart.passed_back(request.row, layer, position)
    here = slopes[:, position]
    added = torch.cat((torch.zeros(1), (here[:-1] - here[1:]).norm(dim=-1)))
    return backprop.Backward(
        row=request.row,
        position=position,
        layer=layer,
        stops=("embed", *(f"{n} {part}" for n in range(layers) for part in ("attn", "mlp"))),
        gradients=as_floats(here),
        lengths=as_floats(slopes.norm(dim=-1)),
        added=as_floats(added),
        pattern=as_floats(pattern),
        passed=as_floats(passed),
    )


@answers(backprop.AskMatrix)
def ask_matrix(engine: Engine, request: backprop.AskMatrix) -> backprop.MatrixPart:
    table = need_apart(engine).table(request.name, request.what)
    row = need(request.first_row, table.size(0), "row")
    column = need(request.first_column, table.size(1), "column")
    if request.rows * request.columns > MOST_CELLS:
        raise UserError(f"a part of at most {MOST_CELLS:,} weights can be looked at")
    part = table[row : row + max(1, request.rows), column : column + max(1, request.columns)]
    at = divmod(int(table.abs().argmax()), table.size(1))
    top = float(table[at].abs())
    return backprop.MatrixPart(request.name, request.what, row, column, as_floats(part), top, *at)


@answers(backprop.AskWeight)
def ask_weight(engine: Engine, request: backprop.AskWeight) -> backprop.OneWeight:
    apart = need_apart(engine)
    row, column = need_weight(apart, request)
    found, rule = apart.update_at(request.name, row, column), apart.rules[request.name]
    return backprop.OneWeight(
        name=request.name,
        row=row,
        column=column,
        before=found.before,
        gradient=found.gradient,
        clipped=found.clipped,
        first_moment=found.first_moment,
        second_moment=found.second_moment,
        momentum=found.momentum,
        direction=found.direction,
        decay=found.decay,
        step=found.step,
        after=found.after,
        lr=rule.lr,
        weight_decay=rule.weight_decay,
        betas=rule.betas,
        steps=rule.count,
    )


@answers(backprop.AskNudged)
def ask_nudged(engine: Engine, request: backprop.AskNudged) -> backprop.Nudged:
    apart = need_apart(engine)
    row, column = need_weight(apart, request)
    losses = apart.loss_with(request.name, row, column, request.deltas)
    return backprop.Nudged(request.name, row, column, frozen(np.array(losses, np.float64)))


@answers(backprop.AskAfter)
def ask_after(engine: Engine, request: backprop.AskAfter) -> backprop.AfterStep:
    apart = need_apart(engine)
    before, after = apart.compared_row(request.row)
    batch_before, batch_after, tokens = apart.compared_batch
    return backprop.AfterStep(request.row, as_floats(before), as_floats(after), batch_before, batch_after, tokens)


@answers(backprop.AskHeldOut)
def ask_held_out(engine: Engine, request: backprop.AskHeldOut) -> backprop.HeldOut:
    from gpttui.training.evaluate import eval_batches

    apart, live = need_apart(engine), engine.live
    if live is None or apart is not live.trainer.apart:
        return backprop.HeldOut(math.nan, math.nan, 0)
    rows = eval_batches(live.trainer.data.val, max(1, request.tokens), pass_tokens=request.tokens)
    return backprop.HeldOut(*apart.compared(rows))


def need_weight(apart: "StepApart", request: backprop.AskWeight | backprop.AskNudged) -> tuple[int, int]:
    """Row and column, where the parameter has them. Raises UserError."""
    rows, columns = apart.table(apart.need(request.name), "value").shape
    return need(request.row, rows, "row"), need(request.column, columns, "column")


def need(at: int, count: int, what: str) -> int:
    """`at`, where there are so many. Raises UserError."""
    if not 0 <= at < count:
        raise UserError(f"there is no {what} {at + 1:,}; there are {count:,}")
    return at


def as_ids(x: "Tensor") -> Array:
    return frozen(x.cpu().numpy().astype(np.int32))


def as_floats(x: "Tensor") -> Array:
    return frozen(x.detach().float().cpu().numpy())
