"""Next-token candidates as rows of numbers and bars, the draw on the cumulative bar, and the words around them.

For: what `NextTokenPane` draws, line by line. Not for: which rows fit (the pane's business).
A row shows two probabilities, both over the whole vocabulary: the model's own, as a tick, and the one drawn from
(after temperature and cuts), as a solid bar. A candidate that a cut removed keeps its bar from before the cut, faint.
"""

from dataclasses import dataclass
from math import isnan

from rich.cells import cell_len
from rich.style import Style

from gpttui.records import Draw, Prediction, Sampling
from gpttui.tui.palette import ColourDepth
from gpttui.tui.renderables.bars import bar, cumulative, plain_bar, tick_column
from gpttui.tui.renderables.labels import clip, fit, percent, sampling_words, setting, stages_on

Piece = tuple[str, Style]

_SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Tones:
    """The styles in which candidates are drawn."""

    plain: Style
    dim: Style
    strong: Style
    accent: Style
    bar: Style
    warn: Style
    hit: Style
    """The stretch of the cumulative bar on which the random number fell."""
    cycle: tuple[Style, ...]
    """Backgrounds of the cumulative bar."""
    depth: ColourDepth


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a row lie, in cells."""

    label: int
    with_model: bool
    bar: int
    top: float
    """The probability that a full bar stands for."""


def columns_for(width: int, labels: list[str], prediction: Prediction) -> Columns:
    """Columns for rows `width` cells wide: the bar gets what numbers and labels leave."""
    with_model = width >= 36
    numbers = 14 if with_model else 7
    widest = max((cell_len(label) for label in labels), default=1)
    least = 5 if width < 48 else 14  # room for "… 1,234 others"
    label = max(least, min(widest, 18, (width - numbers - 3) // 2))
    most = max(float(prediction.final_probs.max(initial=0)), float(prediction.model_probs.max(initial=0)))
    top = next((scale for scale in _SCALES if most <= scale), 1.0)
    return Columns(label, with_model, max(0, width - 3 - label - numbers - 1), top)


def title_pieces(columns: Columns, tones: Tones) -> list[Piece]:
    """What the columns are, and the scale of the bars."""
    names = f"{'model':>7}{'drawn':>7}" if columns.with_model else f"{'drawn':>7}"
    end = f"{columns.top:.0%}"
    scale = "0" + end.rjust(columns.bar - 1) if columns.bar > 6 else ""
    return [(fit("   token", 3 + columns.label) + names + " " + scale, tones.dim)]


def candidate_pieces(
    prediction: Prediction, rank: int, label: str, columns: Columns, tones: Tones, *, at_cursor: bool
) -> list[Piece]:
    """One row: cursor, mark of the token that followed, label, probabilities, bar or the cut that removed it."""
    cut = int(prediction.cut_by[rank])
    follows = int(prediction.candidate_ids[rank]) == prediction.next_id
    model, drawn = float(prediction.model_probs[rank]), float(prediction.final_probs[rank])
    name = tones.dim if cut else tones.accent if follows else tones.plain
    pieces: list[Piece] = [
        ("▸" if at_cursor else " ", tones.accent),
        ("● " if follows else "  ", tones.accent),
        (fit(label, columns.label), name + Style(bold=follows or at_cursor)),
    ]
    if columns.with_model:
        pieces.append((f"{percent(model):>7}", tones.dim))
    shifted = bool(prediction.shifts) and bool(prediction.shifted_by[:, rank].any())
    tone = tones.dim if cut else tones.warn if shifted else tones.strong if follows else tones.plain
    pieces += [(f"{percent(drawn) if not cut else '–':>7} ", tone)]
    if not cut:
        return pieces + _with_shifts(bar_pieces(drawn, model, columns, tones), prediction, rank, columns, tones)
    words = f" cut by {prediction.cuts[cut - 1].name}"
    room = max(0, columns.bar - cell_len(words))
    faint = plain_bar(min(1.0, float(prediction.probs[rank]) / columns.top), columns.bar, "░")[:room]
    return [*pieces, (faint, tones.dim), (words, tones.dim)]


def _with_shifts(pieces: list[Piece], prediction: Prediction, rank: int, columns: Columns, tones: Tones) -> list[Piece]:
    """A bar, and at the end of its row what shifted the logit; only by how much where there is little room."""
    by = [(shift.name, float(prediction.shifted_by[n, rank])) for n, shift in enumerate(prediction.shifts)]
    each = [f"{name} {amount:+.2f}" for name, amount in by if amount]
    room = columns.bar - sum(cell_len(text) for text, _ in pieces) - 2
    words = (" · ".join(each), f"{sum(amount for _, amount in by):+.1f}") if each else ()
    fits = next((text for text in words if cell_len(text) <= room), "")
    return [*pieces, (fit(fits, room + 2, right=True), tones.warn)] if fits else pieces


def bar_pieces(drawn: float, model: float, columns: Columns, tones: Tones) -> list[Piece]:
    """A solid bar for `drawn`, and a tick where the model's own probability lies if that is another cell."""
    if not columns.bar:
        return []
    share, at = drawn / columns.top, tick_column(model / columns.top, columns.bar)
    coloured = tones.depth > ColourDepth.NONE
    solid = bar(share, columns.bar) if coloured else plain_bar(share, columns.bar)
    if abs(at - tick_column(share, columns.bar)) < 1:
        return [(solid, tones.bar)]
    if at >= len(solid):
        return [(solid, tones.bar), (" " * (at - len(solid)), tones.plain), ("┊", tones.dim)]
    inside = Style(color=tones.plain.bgcolor, bgcolor=tones.bar.color) if coloured else tones.plain
    return [(solid[:at], tones.bar), ("┊", inside), (solid[at + 1 :], tones.bar)]


def tail_pieces(prediction: Prediction, shown: int, columns: Columns, tones: Tones) -> list[Piece]:
    """Everything outside the first `shown` candidates: how many tokens, and their mass in both distributions."""
    count = prediction.tail_count + len(prediction.candidate_ids) - shown
    if count <= 0:
        return [("   that is the whole vocabulary", tones.dim)]
    model = max(0.0, 1.0 - float(prediction.model_probs[:shown].sum()))
    drawn = max(0.0, 1.0 - float(prediction.final_probs[:shown].sum()))
    if drawn < 1e-6:  # what float32 sums leave; a tail that no cut removed has some mass all the same
        drawn = 0.0 if any(cut.removed_mass for cut in prediction.cuts) or prediction.tail_mass == 0 else 1e-6
    numbers = f"{percent(model):>7}" if columns.with_model else ""
    words = f"   … {count:,} others"
    name = fit(words if cell_len(words) <= 3 + columns.label else f" … {count:,}", 3 + columns.label)
    pieces: list[Piece] = [(f"{name}{numbers}{percent(drawn) if drawn else '–':>7} ", tones.dim)]
    if not drawn:
        return [*pieces, (" cut", tones.dim)]
    share = min(1.0, drawn / columns.top)
    return [*pieces, (plain_bar(share, columns.bar, "░"), tones.dim)]


def bar_of_draws(prediction: Prediction, labels: list[str], width: int, tones: Tones) -> list[Piece]:
    """The probabilities drawn from, end to end, most probable first; the stretch that was hit stands out."""
    pieces: list[Piece] = []
    for rank, text in cumulative([float(p) for p in prediction.final_probs[: len(labels)]], labels, width):
        if rank < 0:
            pieces.append((text.replace(" ", "░"), tones.dim))
            continue
        hit = prediction.draw is not None and int(prediction.candidate_ids[rank]) == prediction.draw.token_id
        ground = tones.cycle[rank % len(tones.cycle)]
        pieces.append((text, tones.hit if hit else ground))
    return pieces


def draw_pieces(
    prediction: Prediction, sampling: Sampling, width: int, tones: Tones, *, at_end: str = ""
) -> list[Piece]:
    """Where the random number fell on the bar below, or why there is none: `at_end` where the text ends.

    A draw of other settings than `sampling`, which the bar is of, names them.
    """
    draw = prediction.draw
    if draw is None:
        at_end = at_end or "nothing drawn yet: space draws"
        return [(clip(at_end if prediction.next_id < 0 else "part of the prompt: not drawn", width), tones.dim)]
    if draw.picked:
        return [("picked by hand: no random number", tones.dim)]
    if isnan(draw.uniform):
        return [("greedy: the most probable token, no random number", tones.dim)]
    at, number = tick_column(draw.uniform, width), f"{draw.uniform:.4f}"
    then = draw.sampling if draw.sampling not in (None, sampling) else None
    how = f" drawn with {sampling_words(then)}" if then else " drawn"
    if at + 2 + len(number) <= width:
        how = clip(how, width - at - 2 - len(number))
        return [(" " * at, tones.plain), ("▼ ", tones.accent), (number, tones.plain), (how, tones.dim)]
    return [(" " * max(0, at - 1 - len(number)), tones.plain), (number, tones.plain), (" ▼", tones.accent)]


def last_draw_words(draw: Draw | None, label: str) -> str:
    """How the newest token, `label`, came to be."""
    if draw is None:
        return "nothing drawn yet: space draws"
    if draw.picked:
        return f"{label} was picked by hand"
    if isnan(draw.uniform):
        return f"{label} was the most probable: no random number"
    return f"{label} came by {draw.uniform:.4f}, its chance {percent(draw.high - draw.low)}"


def settings_pieces(prediction: Prediction, sampling: Sampling, width: int, tones: Tones) -> list[Piece]:
    """Entropy before and after, and each stage with the probability it moves (±) or removes (−), while they fit."""
    effects: dict[str, str] = {shift.name: f" ±{percent(shift.moved_mass)}" for shift in prediction.shifts}
    effects |= {cut.name: f" −{percent(cut.removed_mass)}" for cut in prediction.cuts}
    entropy: list[Piece] = [
        ("entropy ", tones.dim),
        (f"{prediction.entropy_bits:.2f}", tones.strong),
        (" bits", tones.dim),
    ]
    if abs(prediction.entropy_bits - prediction.sampled_entropy_bits) >= 0.005:
        entropy.append((f" → {abs(prediction.sampled_entropy_bits):.2f}", tones.plain))
    for short in (False, True):
        stages = []
        for stage in stages_on(sampling):
            name = stage.short if short or stage.field in ("temperature", "logit_bias") else stage.name
            words = "greedy" if sampling.temperature == 0 and name == "T" else f"{name} {setting(sampling, stage)}"
            effect = effects.get(stage.name, "")
            stages.append([(words, tones.plain), *([(effect, tones.warn)] if effect else [])])
        parts = [entropy, *stages]
        line = fitting(parts, width, tones.plain)
        if len(line) == sum(map(len, parts)) + len(stages):
            break
    return line


def fitting(parts: list[list[Piece]], width: int, gap: Style) -> list[Piece]:
    """As many whole parts, two cells apart, as `width` holds."""
    out: list[Piece] = []
    used = 0
    for part in parts:
        need = sum(cell_len(text) for text, _ in part) + (2 if out else 0)
        if used + need > width:
            break
        out += [("  ", gap), *part] if out else part
        used += need
    return out
