"""A session is what a plain recompute says, whatever way led to the text; and going back leaves no trace."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gpttui.errors import UserError
from gpttui.inference import recorder, session
from gpttui.inference.recorder import window_start
from gpttui.inference.sampling import distribution
from gpttui.inference.session import Session
from gpttui.model import checkpoint, kv_cache
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.model.taps import Recorder
from gpttui.protocol.frames import Reply, decode_reply, frame
from gpttui.protocol.message import Look
from gpttui.protocol.play import Shown
from gpttui.records import Array, Sampling, Snapshot
from gpttui.storage import gallery
from tests import fakes, shapes

TOKENIZER = fakes.tiny_tokenizer("characters")
VOCAB = TOKENIZER.vocab_size


def model(arch: fakes.Arch = "gpt2", **changes: Any) -> GPT:
    return fakes.tiny_model(arch, **({"vocab_size": VOCAB} | changes))


def started(prompt: str = "the cat sat", arch: fakes.Arch = "gpt2", **options: Any) -> Session:
    return Session(model(arch), TOKENIZER, prompt=prompt, **options)


def walked(steps: int, **options: Any) -> Session:
    found = started(**options)
    for _ in range(steps):
        found.step()
    return found


class Recorded(NamedTuple):
    """What the recorder keeps of one position."""

    attention: Array
    residual: Array
    final: Array
    logits: Array


def recorded(of: Session, position: int) -> Recorded:
    window, row = of.window, of.row(position)
    layers, heads = range(of.model.config.n_layer), range(of.model.config.n_head)
    attention = [[window.attention(layer, head, row)[0, : row + 1] for head in heads] for layer in layers]
    return Recorded(
        np.asarray(attention, dtype=np.float32),
        window.residual[row].float().numpy().copy(),
        window.final[row].float().numpy().copy(),
        window.row_logits(row),
    )


def everything(of: Session) -> dict[str, Array]:
    """All that a session shows, as plain arrays."""
    told = of.snapshot(Look(top_k=VOCAB))
    rows = [recorded(of, position) for position in range(of.n_slid, len(of))]
    found = {
        "ids": told.ids,
        "surprisal": told.surprisal_bits,
        "entropy": told.entropy_bits,
        "slid": np.array([told.n_slid, told.n_prompt]),
        "residual": np.array([row.residual for row in rows]),
        "logits": np.array([row.logits for row in rows]),
        "attention": np.concatenate([row.attention.reshape(-1) for row in rows]) if rows else np.empty(0),
    }
    if told.prediction is not None:
        found["probs"] = told.prediction.final_probs
        found["candidates"] = told.prediction.candidate_ids
    return found


def same(a: dict[str, Array], b: dict[str, Array]) -> None:
    assert a.keys() == b.keys()
    for name, x in a.items():
        np.testing.assert_array_equal(x, b[name], err_msg=name)


def close(a: dict[str, Array], b: dict[str, Array], tolerance: float = 1e-4) -> None:
    for name in a.keys() - {"candidates"}:
        np.testing.assert_allclose(a[name], b[name], atol=tolerance, rtol=tolerance, err_msg=name)


# ── Equal to the plain way ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_every_row_is_what_one_full_pass_computes(shape: str) -> None:
    bare = shapes.model(shape)
    of = Session(bare, fakes.train_characters(["".join(map(chr, range(0x100, 0x100 + 60)))]), prompt="ĀāĂăĄ")
    for _ in range(15):
        of.step()
    ids, taps = torch.tensor(of.ids[None].astype(np.int64)), Recorder()
    logits = bare(ids, tap=taps)[0].double()
    log_probs = logits.log_softmax(-1)
    expected = -log_probs[torch.arange(19), ids[0, 1:]] / math.log(2)
    told = of.snapshot()
    np.testing.assert_allclose(told.surprisal_bits[1:], expected, atol=1e-4)
    assert math.isnan(told.surprisal_bits[0])
    np.testing.assert_allclose(told.entropy_bits, -(log_probs.exp() * log_probs).sum(-1) / math.log(2), atol=1e-4)
    for position in (0, 4, 5, 19):
        row = recorded(of, position)
        np.testing.assert_allclose(row.logits, logits[position], atol=1e-4)
        for layer in range(bare.config.n_layer):
            pattern = taps.sites[f"blocks.{layer}.attn.pattern"][0, :, position, : position + 1]
            np.testing.assert_allclose(row.attention[layer], pattern, atol=1e-5)
            for part, site in enumerate(("resid_mid", "resid_post"), start=1):
                x = taps.sites[f"blocks.{layer}.{site}"][0, position]
                np.testing.assert_allclose(row.residual[2 * layer + part], x, atol=1e-4)
        start = taps.sites["embed"] + taps.sites.get("pos_embed", torch.zeros(()))
        np.testing.assert_allclose(row.residual[0], start[0, position], atol=1e-6)
        np.testing.assert_allclose(row.final, taps.sites["ln_final.normalized"][0, position], atol=1e-4)


def test_rows_are_what_they_were_when_their_storage_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(walked(15))
    monkeypatch.setattr(kv_cache, "BLOCK", 4)
    grown = started()
    held = len(grown.window.residual)
    for _ in range(15):
        grown.step()
    assert held < len(grown.window.residual) == grown.window.cache.held
    close(everything(grown), whole)


def test_what_no_longer_fits_the_budget_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(walked(15))
    monkeypatch.setattr(recorder, "ATTENTION_BYTES", 2000)
    monkeypatch.setattr(recorder, "LOGIT_BYTES", 0)
    lean = walked(15)
    assert lean.window.attention_bytes <= 2000
    assert len(lean.window.logits) == 8
    close(whole, everything(lean), 1e-5)
    np.testing.assert_allclose(lean.attention(1, 1).weights.sum(-1), 1, atol=1e-6)  # type: ignore[union-attr]


def test_under_a_change_too_it_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(site: str, x: Tensor) -> Tensor:
        return x.index_fill(-1, torch.tensor([0]), 0.0) if site == "blocks.0.attn.pattern" else x

    whole = everything(walked(12, tap=forbid))
    monkeypatch.setattr(recorder, "ATTENTION_BYTES", 0)
    close(whole, everything(walked(12, tap=forbid)), 1e-5)


def test_a_prompt_that_needs_much_scratch_space_goes_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    prompt, extended = fakes.TEXT[:30], []

    def extend(window: recorder.Window, ids: Any, original: Any = recorder.Window.extend) -> None:
        extended.append(len(ids))
        original(window, ids)

    monkeypatch.setattr(recorder.Window, "extend", extend)
    whole = everything(started(prompt))
    assert extended == [30]
    monkeypatch.setattr(recorder, "PREFILL_BYTES", {"cpu": 0})
    monkeypatch.setattr(recorder, "LEAST_ROWS", 7)
    close(whole, everything(started(prompt)), 1e-5)
    assert extended == [30, 7, 7, 7, 7, 2]


@pytest.mark.parametrize("tapped", [False, True])
def test_a_full_context_of_every_bundled_model_is_one_pass(tapped: bool) -> None:
    for path in gallery.directories().values():
        config = checkpoint.read_shape(path)
        assert recorder.prefill_rows(config, "cpu", tapped=tapped) >= config.context
    small = GPTConfig(vocab_size=50_257, context=1024, n_layer=12, n_head=12, d_model=768)
    assert (
        recorder.prefill_rows(small, "cpu", tapped=tapped) < 1024 <= recorder.prefill_rows(small, "cuda", tapped=tapped)
    )


@pytest.mark.parametrize("arch", ["gpt2", "modern"])
def test_the_same_text_whichever_way(arch: fakes.Arch) -> None:
    stepped = walked(60, arch=arch, seed=5)
    again = started(arch=arch, seed=5)
    again.restore("the cat sat", stepped.ids[11:].tolist(), [False] * 60)
    close(
        {k: v for k, v in everything(stepped).items() if k not in ("surprisal", "entropy")},
        {k: v for k, v in everything(again).items() if k not in ("surprisal", "entropy")},
    )
    start = stepped.n_slid
    np.testing.assert_allclose(
        stepped.snapshot().entropy_bits[start:], again.snapshot().entropy_bits[start:], atol=1e-4
    )


# ── Back and forth ────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 40),
    st.integers(1, 25),
    st.integers(0, 2**40),
    st.sampled_from(["gpt2", "modern"]),
    st.sampled_from([Sampling(0.8), Sampling(0), Sampling(1.5, 5), Sampling(1, 0, 0.9)]),
)
def test_back_undoes_step_bit_for_bit(before: int, steps: int, seed: int, arch: fakes.Arch, sampling: Sampling) -> None:
    of = walked(before, arch=arch, seed=seed, sampling=sampling)
    first = everything(of)
    forth = [of.step() for _ in range(steps)]
    second = everything(of)
    for _ in range(steps):
        of.back()
    same(first, everything(of))
    assert [of.step() for _ in range(steps)] == forth
    same(second, everything(of))


def test_going_back_over_windows_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "EARLIER_BYTES", 0)
    of, kept = walked(18, seed=2), walked(18, seed=2)
    forth = [of.step() for _ in range(30)]
    assert of.n_slid == 32
    for _ in range(30):
        of.back()
    close(everything(kept), everything(of))
    assert [of.step() for _ in range(30)] == forth


def test_home_and_the_end_of_back() -> None:
    of = walked(50)
    of.home()
    assert of.text == "the cat sat"
    assert not of.can_back
    same(everything(started()), everything(of))
    with pytest.raises(UserError, match="no step to take back"):
        of.back()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["step", "back", "choose", "append", "home"]), max_size=60), st.integers(0, 5))
def test_any_walk_ends_where_its_text_says(moves: list[str], seed: int) -> None:
    of = started("the cat", seed=seed)
    for n, move in enumerate(moves):
        if move == "step":
            of.step()
        elif move == "append":
            of.append(n % VOCAB)
        elif move == "choose":
            of.choose(of.n_prompt - 1 + n % (len(of) - of.n_prompt + 1), n % VOCAB)
        elif move == "home":
            of.home()
        elif of.can_back:
            of.back()
        assert of.n_slid == window_start(len(of), 32)
        assert of.window.length == len(of) - of.n_slid <= 32
        assert of.ids[of.n_slid :].tolist() == of.window.ids[: of.window.length].tolist()
        assert len(of.draws) == len(of) - of.n_prompt
    plain = Session(of.model, TOKENIZER, seed=seed)
    plain.restore("the cat", of.ids[7:].tolist(), [draw is not None and draw.picked for draw in of.draws])
    a, b = of.snapshot(Look(top_k=VOCAB)), plain.snapshot(Look(top_k=VOCAB))
    assert a.ids.tolist() == b.ids.tolist()
    assert a.prediction is not None and b.prediction is not None and a.attention is not None and b.attention is not None
    np.testing.assert_allclose(a.prediction.probs, b.prediction.probs, atol=1e-4)
    np.testing.assert_allclose(a.attention.weights, b.attention.weights, atol=1e-4)


def test_choose_drops_what_followed_and_draws_anew() -> None:
    of = walked(10, seed=1)
    before = of.ids
    told = of.prediction(13, 5)
    assert told is not None
    other = next(int(i) for i in told.candidate_ids if i != before[14])
    of.choose(13, other)
    assert of.ids.tolist() == [*before[:14].tolist(), other]
    draw = of.draws[-1]
    assert draw is not None and draw.picked and math.isnan(draw.uniform) and draw.token_id == other
    rank = told.candidate_ids.tolist().index(other)
    assert draw.high - draw.low == pytest.approx(told.final_probs[rank])
    of.back()
    assert of.step() == before[14]
    of.choose(-1, 3)
    assert of.ids[-1] == 3


@pytest.mark.parametrize(("position", "token"), [(3, 0), (99, 0), (-40, 0), (12, 10**6), (12, -1)])
def test_what_cannot_be_chosen_changes_nothing(position: int, token: int) -> None:
    of = walked(10)
    first = everything(of)
    with pytest.raises(UserError):
        of.choose(position, token)
    same(first, everything(of))


def test_the_prompt_may_be_followed_by_a_choice() -> None:
    of = started()
    of.choose(10, 4)
    assert of.ids[-1] == 4


# ── Draws ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_draw_is_on_record() -> None:
    of = walked(5, seed=9, sampling=Sampling(1.2, 10, 0.95))
    told = of.prediction(12, VOCAB)
    assert told is not None and told.draw is not None
    assert told.next_id == told.draw.token_id == of.ids[13]
    rank = told.candidate_ids.tolist().index(told.next_id)
    bar = np.cumsum(told.final_probs)
    assert told.draw.low == pytest.approx(bar[rank] - told.final_probs[rank])
    assert told.draw.low <= told.draw.uniform < told.draw.high == pytest.approx(bar[rank])
    assert of.prediction(3).draw is None  # type: ignore[union-attr]
    last = of.prediction(-1)
    assert last is not None and last.draw is None and last.next_id == -1


def test_seeds_and_settings_hold_from_here_on() -> None:
    of = walked(8, seed=1, sampling=Sampling(2.0))
    first = of.ids
    of.set_seed(2)
    of.set_sampling(Sampling(0))
    assert of.ids.tolist() == first.tolist()
    assert of.step() == int(distribution(recorded(of, -2).logits, Sampling(0)).ranking.first(1)[0])
    with pytest.raises(UserError):
        of.set_sampling(Sampling(-1))
    assert of.sampling == Sampling(0)


def test_another_seed_is_another_text() -> None:
    texts = {walked(20, seed=seed, sampling=Sampling(1.5)).text for seed in range(5)}
    assert len(texts) == 5
    assert walked(20, seed=3).text == walked(20, seed=3).text


# ── The context ───────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(st.integers(1, 300), st.integers(0, 2000))
def test_the_window_holds_the_end_of_the_text(context: int, length: int) -> None:
    start = window_start(length, context)
    assert 0 <= length - start <= context
    assert start == 0 if length <= context else length - start > context - max(1, context // 4)
    assert start <= window_start(length + 1, context)


def test_the_window_slides_and_says_so() -> None:
    of = walked(21)
    assert (of.snapshot().n_slid, of.window.room) == (0, 0)
    epoch = of.epoch
    kept = of.snapshot()
    of.step()
    told = of.snapshot(Look(position=0))
    assert (told.n_slid, told.epoch > epoch, len(told.ids)) == (8, True, 33)
    np.testing.assert_array_equal(told.surprisal_bits[:9], kept.surprisal_bits[:9])
    assert np.isfinite(told.surprisal_bits[1:]).all() and np.isfinite(told.entropy_bits).all()
    assert (
        told.prediction is not None and told.prediction.position == 8
    )  # position 0 has left: the nearest that is there


@pytest.mark.parametrize("length", [31, 32, 33, 100, 1000])
def test_a_prompt_longer_than_the_context_keeps_its_end(length: int) -> None:
    of = started(("the cat sat on the mat. " * 50)[:length])
    told = of.snapshot()
    assert (len(told.ids), told.n_prompt) == (length, length)
    assert told.n_slid == window_start(length, 32)
    assert np.isnan(told.entropy_bits[: told.n_slid]).all()
    assert np.isfinite(told.entropy_bits[told.n_slid :]).all()
    ids = torch.tensor(told.ids[None, told.n_slid :].astype(np.int64))
    np.testing.assert_allclose(recorded(of, -1).logits, of.model(ids)[0, -1], atol=1e-4)
    of.step()
    of.back()
    assert of.ids.tolist() == told.ids.tolist()


@pytest.mark.parametrize("context", [1, 2, 3, 5])
def test_tiny_contexts(context: int) -> None:
    of = Session(model(context=context), TOKENIZER, prompt="the cat")
    forth = [of.step() for _ in range(12)]
    of.home()
    assert [of.step() for _ in range(12)] == forth
    assert of.snapshot(Look(position=2)).n_slid == window_start(19, context)


def test_a_megabyte_of_prompt() -> None:
    of = started("the cat sat on the mat.\n" * 43_700)
    assert of.window.length <= 32
    of.step()
    assert len(of) == len(of.snapshot().ids) == 24 * 43_700 + 1
    assert of.can_back


def test_an_empty_prompt_starts_from_a_newline_or_from_nothing() -> None:
    of = started("")
    assert of.text == "\n"
    assert of.prediction() is not None
    bare = Session(model(vocab_size=4), fakes.train_characters(["abc"]))
    told = bare.snapshot()
    assert (len(told.ids), told.prediction, told.attention, told.can_back) == (0, None, None, False)
    for act in (bare.step, bare.back, bare.next_draw):
        with pytest.raises(UserError):
            act()
    bare.append(2)
    bare.step()
    assert len(bare.snapshot().ids) == 2
    bare.home()
    assert len(bare.snapshot().ids) == 0
    assert bare.window.trace() == {}


@pytest.mark.parametrize("text", ["[/]", "\x1b[31m\x00\x9b", "\ud800", "שלום‏", "👨‍👩‍👧‍👦", "\u202e"])
def test_hostile_prompts(text: str) -> None:
    for kind in ("characters", "bpe"):
        words = fakes.tiny_tokenizer(kind)
        of = Session(fakes.tiny_model(vocab_size=words.vocab_size), words, prompt=text)
        of.step()
        assert of.snapshot().prediction is not None


# ── Changes of the model ──────────────────────────────────────────────────────────────────────────────────────────


def double(site: str, x: Tensor) -> Tensor:
    return x * 2 if site == "blocks.0.attn.out" else x


def test_a_change_is_seen_at_once_and_can_be_undone() -> None:
    of = walked(10)
    first, epoch = everything(of), of.epoch
    of.set_taps(double, ("doubled",))
    told = of.snapshot()
    assert told.interventions == ("doubled",) and told.epoch > epoch
    ids = torch.tensor(of.ids[None].astype(np.int64))
    np.testing.assert_allclose(recorded(of, -1).logits, of.model(ids, tap=double)[0, -1], atol=1e-4)
    of.step()
    of.back()
    of.set_taps(None, ())
    assert of.snapshot().interventions == ()
    close(first, everything(of))


def test_a_change_that_fails_changes_nothing() -> None:
    def broken(site: str, x: Tensor) -> Tensor:
        raise RuntimeError("no")

    of = walked(5)
    first = everything(of)
    with pytest.raises(RuntimeError):
        of.set_taps(broken, ("broken",))
    assert of.snapshot().interventions == ()
    same(first, everything(of))


def test_other_weights_under_the_same_text() -> None:
    of = walked(10)
    other = fakes.tiny_model(vocab_size=VOCAB, seed=7)
    of.use_model(other)
    ids = torch.tensor(of.ids[None].astype(np.int64))
    np.testing.assert_allclose(recorded(of, -1).logits, other(ids)[0, -1], atol=1e-4)
    with pytest.raises(UserError, match="outside the model's 3"):
        of.use_model(fakes.tiny_model(vocab_size=3))
    assert of.model is other


# ── What the screen gets ──────────────────────────────────────────────────────────────────────────────────────────


class Screen:
    """Assembles one head's square from slices, as the attention pane does."""

    def __init__(self) -> None:
        self.square: Array = np.empty((0, 0), dtype=np.float32)
        self.epoch = -1

    def look(self) -> Look:
        return Look(layer=1, head=0, have_rows=len(self.square), have_epoch=self.epoch)

    def receive(self, told: Snapshot) -> None:
        assert told.attention is not None
        rows = len(told.ids) - told.n_slid
        if told.epoch != self.epoch:
            assert told.attention.first_query == 0
        square = np.zeros((rows, rows), dtype=np.float32)
        kept = told.attention.first_query
        square[:kept, :kept] = self.square[:kept, :kept]
        square[kept:] = told.attention.weights
        self.square, self.epoch = square, told.epoch


ACTS: dict[str, Callable[[Session, int], Any]] = {
    "step": lambda of, n: of.step(),
    "back": lambda of, n: of.back() if of.can_back else None,
    "home": lambda of, n: of.home(),
    "choose": lambda of, n: of.choose(of.n_prompt - 1 + n % (len(of) - of.n_prompt + 1), n % VOCAB),
    "show": lambda of, n: None,
    "tap": lambda of, n: of.set_taps(double if n % 2 else None, ()),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.booleans()), max_size=40))
def test_slices_join_to_the_square_even_when_requests_overtake_answers(moves: list[tuple[str, bool]]) -> None:
    of, screen = walked(15), Screen()
    screen.receive(of.snapshot(screen.look()))
    held: list[Snapshot] = []
    look = screen.look()
    for n, (move, answered) in enumerate(moves):
        ACTS[move](of, n)
        held.append(of.snapshot(look))
        if answered:  # otherwise the next request leaves before this answer is read
            for told in held:
                screen.receive(told)
            held, look = [], screen.look()
    for told in held:
        screen.receive(told)
    expected = of.attention(1, 0)
    assert expected is not None
    np.testing.assert_allclose(screen.square, expected.weights, atol=1e-6)


def test_looks_out_of_range_are_brought_into_it() -> None:
    told = walked(3).snapshot(Look(position=10**9, layer=99, head=-5, top_k=0, have_rows=10**9))
    assert told.prediction is not None and told.attention is not None
    assert told.prediction.position == 13
    assert (told.attention.layer, told.attention.head) == (1, 0)
    assert len(told.prediction.candidate_ids) == 1


def test_a_snapshot_travels() -> None:
    told = walked(5).snapshot(Look(position=12))
    reply = decode_reply(frame(Reply(4, Shown(told)))[4:])
    assert isinstance(reply.answer, Shown)
    arrived = reply.answer.snapshot
    assert arrived.prediction is not None and told.prediction is not None
    np.testing.assert_array_equal(arrived.ids, told.ids)
    np.testing.assert_array_equal(arrived.prediction.final_probs, told.prediction.final_probs)
    assert arrived.prediction.draw == told.prediction.draw
    assert arrived.sampling == told.sampling


def test_snapshots_do_not_change_behind_ones_back() -> None:
    of = walked(5)
    told = of.snapshot()
    copy = told.ids.copy(), told.surprisal_bits.copy(), told.entropy_bits.copy()
    of.home()
    of.append(1)
    for array, before in zip((told.ids, told.surprisal_bits, told.entropy_bits), copy, strict=True):
        np.testing.assert_array_equal(array, before)
        assert not array.flags.writeable


def test_a_trace_covers_the_window() -> None:
    of = walked(40)
    traced = of.window.trace(["blocks.1.attn.pattern", "logits"])
    assert set(traced) == {"blocks.1.attn.pattern", "logits"}
    assert traced["logits"].shape == (of.window.length, VOCAB)
    np.testing.assert_allclose(traced["logits"][-1], recorded(of, -1).logits, atol=1e-4)


def test_a_tokenizer_of_another_model_is_noticed() -> None:
    with pytest.raises(UserError, match="belongs to another model"):
        Session(model(vocab_size=5), TOKENIZER, prompt="the cat")


def test_memory_is_counted() -> None:
    assert walked(20).window.size_bytes > started().window.size_bytes > 0
