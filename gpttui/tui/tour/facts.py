"""What the program shows now, as the facts of a deed and the numbers of a text (`gpttui.lessons`).

Read off the screens' own state: nothing reports to the tour.
"""

import math
from typing import TYPE_CHECKING, Any

from gpttui.interventions import AblateHead, AblatePart, ForbidEdge
from gpttui.lessons.deeds import Value
from gpttui.tui.renderables.labels import percent, quoted_label
from gpttui.tui.screens.play import PlayScreen
from gpttui.tui.screens.train import TrainScreen
from gpttui.tui.views.frame import InsideScreen

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

    from gpttui.records import Prediction
    from gpttui.tui.session.run_record import RunRecord

LABEL_CELLS = 18


def playground(app: "App[Any]") -> PlayScreen | None:
    """The lowest screen, where it is there yet."""
    lowest = app.screen_stack[0] if app.screen_stack else None
    return lowest if isinstance(lowest, PlayScreen) else None


def top_screen(app: "App[Any]") -> "Screen[Any] | None":
    """The screen that a person works with; dialogs lie over it."""
    return next((screen for screen in reversed(app.screen_stack) if not screen.is_modal), None)


def facts(app: "App[Any]") -> dict[str, Value]:
    """Every fact that is known now, by its name in `FACTS`."""
    play, top = playground(app), top_screen(app)
    if play is None:
        return {}
    link, found = play.link, dict[str, Value]()
    found["view"] = top.VIEW if isinstance(top, InsideScreen) else "playground"
    if isinstance(top, TrainScreen):
        found["view"] = "training"
    elif top is not play and not isinstance(top, InsideScreen):
        found["view"] = type(top).__name__.removesuffix("Screen").lower()
    if found["view"] == "backprop":
        from gpttui.tui.views.backprop.screen import BackpropScreen  # it needs numpy

        found["nudged"] = isinstance(top, BackpropScreen) and top.weights.nudge.delta != 0
    deck = getattr(top, "deck", play.deck)
    found["pane"], found["zoomed"] = deck.current.id or "", bool(deck.zoomed)
    found["writing"], found["draft"] = play.writing.going_on, play.tokens.draft or ""
    found["running"], found["picked"] = link.running, any(link.picked)
    found["colour"], found["overview"] = play.tokens.colour_mode, bool(play.attention.overview)
    found["temperature"], found["top_k"] = link.sampling.temperature, float(link.sampling.top_k)
    found["top_p"], found["changes"] = link.sampling.top_p, float(len(link.changes))
    found["silenced"] = any(isinstance(change, AblateHead | AblatePart) for change in link.changes)
    found["forbidden"] = any(isinstance(change, ForbidEdge) for change in link.changes)
    selection = play.selection
    found["layer"] = selection.layer + 1.0
    found["head"] = f"{selection.layer + 1}.{selection.head + 1}"
    if link.card is not None:
        found["model"], found["prompt"] = link.card.id, link.prompt
    if link.snapshot is not None and link.card is not None:
        length = len(link.snapshot.ids)
        found["tokens"], found["tokens_drawn"] = float(length), float(length - link.snapshot.n_prompt)
        at = selection.index(length)
        found["position"] = at + 1.0
        if length and play.tokens.tokenizer is not None:
            found["token"] = play.tokens.tokenizer.decode([int(link.snapshot.ids[at])]).strip()
    record = play.training.record
    found["training"] = record is not None and record.active
    if record is not None:
        found["step"] = float(record.step)
        if (loss := newest_loss(record)) is not None:
            found["loss"] = loss
    return found


def newest_loss(record: "RunRecord") -> float | None:
    """The newest training loss of a run, in nats a token."""
    return None if record.last is None else record.last.loss_nats


def numbers(app: "App[Any]") -> dict[str, str]:
    """Every number that a card may name now, as it is written."""
    play = playground(app)
    if play is None or play.link.card is None or play.link.snapshot is None:
        return {}
    card, snapshot, tokenizer = play.link.card, play.link.snapshot, play.tokens.tokenizer
    found = {
        "vocab": f"{card.vocab_size:,}",
        "uniform_p": percent(1 / card.vocab_size),
        "ln_v": f"{math.log(card.vocab_size):.2f}",
        "n_layer": str(card.n_layer),
        "n_head": str(card.n_head),
        "d_model": str(card.d_model),
        "params": f"{card.params:,}",
        "tokens": str(len(snapshot.ids)),
    }
    if tokenizer is not None and len(snapshot.ids):
        found["characters"] = str(len(tokenizer.decode(snapshot.ids.tolist())))
        at = play.selection.index(len(snapshot.ids))
        found["surprisal"] = f"{snapshot.surprisal_bits[at]:.1f}"
        if snapshot.prediction is not None:
            found |= of_prediction(snapshot.prediction, lambda token: quoted_label(tokenizer, token, LABEL_CELLS))
        if (draw := snapshot.last_draw) is not None:
            found |= {"drawn": quoted_label(tokenizer, draw.token_id, LABEL_CELLS),
                      "drawn_p": percent(draw.high - draw.low), "uniform": f"{draw.uniform:.4f}"}  # fmt: skip
    record = play.training.record
    if record is not None:
        found["step"] = f"{record.step:,}"
        if (loss := newest_loss(record)) is not None:
            found["loss"] = f"{loss:.2f}"
        if (run := record.started) is not None:
            found |= {"run_vocab": f"{run.vocab_size:,}", "run_ln_v": f"{math.log(run.vocab_size):.2f}",
                      "run_params": f"{run.params:,}"}  # fmt: skip
    return found


def of_prediction(prediction: "Prediction", label: Any) -> dict[str, str]:
    """The numbers of the distribution on the table."""
    found = {"entropy": f"{prediction.entropy_bits:.2f}", "choices": f"{2**prediction.entropy_bits:,.0f}"}
    for n, name in enumerate(("top", "second")):
        if n < len(prediction.candidate_ids):
            found[name] = label(int(prediction.candidate_ids[n]))
            found[f"{name}_p"] = percent(float(prediction.probs[n]))
    return found
