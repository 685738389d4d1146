"""A playground session without a model: canned, seeded, numpy only. In process for Pilot, over pipes for a terminal.

Not a language model and not shipped: its logits are a hash of the last two tokens. What it keeps of the real session is
the contract: frozen snapshots, draws keyed by (seed, position), rows of attention that add up, Failure with one line.
`python -m tests.fake_engine [--slow-ms N] [--die-at-start] [--garbage]` speaks the protocol on stdin and stdout.
"""

import argparse
import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np

from gpttui.engine.client import EngineDied, EngineFailure
from gpttui.protocol import frames, message
from gpttui.protocol import play as protocol
from gpttui.protocol.border import Border
from gpttui.protocol.message import Answer, EngineInfo, Look, Request
from gpttui.protocol.play import Opened, Shown
from gpttui.records import (
    Array,
    AttentionSlice,
    Cut,
    Draw,
    LossHistory,
    ModelCard,
    Prediction,
    Sampling,
    Snapshot,
    frozen,
)
from gpttui.tokenizers import Tokenizer, train_bpe
from tests import spoilt

TEXT = "The king is dead. Long live the king!\nTo be, or not to be: that is the question.\n" * 3
N_LAYER, N_HEAD, CONTEXT = 4, 4, 64


@cache
def tokenizer() -> Tokenizer:
    return train_bpe([TEXT], 300)


class FakeSession:
    """The rules of a session on made-up numbers."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.n_prompt = 0
        self.picked: set[int] = set()
        self.sampling, self.seed, self.epoch = Sampling(), 0, 0
        self.path = ""

    def answer(self, request: Request) -> Answer:
        match request:
            case protocol.OpenModel(path, prompt, sampling, seed, look=look):
                if "missing" in path:
                    raise EngineFailure(f"{path} holds no model: config.json is missing")
                self.path, self.sampling, self.seed = path, sampling or Sampling(), seed
                self._start("To be, or not" if prompt is None else prompt)
                return self._opened(look)
            case protocol.Restore(path, prompt, appended, picked, sampling, seed, look=look):
                self.path, self.sampling, self.seed = path, sampling, seed
                self._start(prompt)
                self.picked = {self.n_prompt + n for n, by_hand in enumerate(picked) if by_hand}
                self.ids += appended
                return self._opened(look)
            case protocol.SetPrompt(text, look=look):
                self._start(text)
            case protocol.Step(look=look):
                if not self.ids:
                    raise EngineFailure("the text is empty: press / and write a prompt")
                self.ids.append(self._draw(len(self.ids) - 1).token_id)
            case protocol.Back(to_prompt, look=look):
                self._back(to_prompt)
            case protocol.Choose(position, token_id, look=look):
                self.ids = [*self.ids[: position + 1], token_id]
                self.picked = {p for p in self.picked if p <= position} | {position + 1}
                self.n_prompt = min(self.n_prompt, position + 1)
                self.epoch += 1
            case protocol.SetSampling(sampling, look=look):
                self.sampling = sampling
            case protocol.SetSeed(seed, look=look):
                self.seed = seed
            case protocol.Show(look=look):
                pass
            case _:
                raise EngineFailure("the fake engine does not do this")
        return Shown(self.snapshot(look))

    def _start(self, text: str) -> None:
        self.ids = tokenizer().encode(text)
        self.n_prompt, self.epoch = len(self.ids), self.epoch + 1
        self.picked.clear()

    def _back(self, to_prompt: bool) -> None:
        if len(self.ids) == self.n_prompt:
            raise EngineFailure("this is where the prompt ends; press / to edit it")
        self.ids = self.ids[: self.n_prompt if to_prompt else -1]

    def _opened(self, look: Look) -> Opened:
        card = ModelCard(
            id="fake", path=self.path, params=812_345, n_layer=N_LAYER, n_head=N_HEAD, d_model=64,
            vocab_size=tokenizer().vocab_size, context=CONTEXT, tokenizer="byte-level BPE 300", size_bytes=3_249_380,
            data="made-up numbers", metric_name="loss", metric_value=1.5, summary="stands in for a model",
            prompts=("To be, or not", "The king"), prompt="To be, or not",
        )  # fmt: skip
        steps = np.arange(0, 2000, 10)
        noise = np.random.default_rng(0).normal(0, 0.05, len(steps))
        losses = (1.4 + 2.8 * np.exp(-steps / 300) + noise).astype(np.float32)
        history = LossHistory(steps, losses, steps[::20], losses[::20] + np.float32(0.1), "made-up numbers")
        return Opened(card, tokenizer().to_json(), history, self.snapshot(look))

    def _probs(self, position: int, temperature: float) -> Array:
        tail = self.ids[max(0, position - 1) : position + 1]
        logits = np.random.default_rng([7, *tail]).normal(0, 2.0, tokenizer().vocab_size)
        if temperature == 0:
            return (np.arange(len(logits)) == logits.argmax()).astype(np.float64)
        weights = np.exp((logits - logits.max()) / temperature)
        return np.asarray(weights / weights.sum())

    def _after_cuts(self, probs: Array) -> tuple[Array, Array, list[Cut], Array]:
        """Order, final probabilities in that order, cuts, and which cut took each candidate."""
        order = np.argsort(-probs, kind="stable")
        final, cut_by, cuts = probs[order].copy(), np.zeros(len(probs), np.int8), []
        if 0 < self.sampling.top_k < len(probs):
            cuts.append(Cut("top-k", self.sampling.top_k, float(final[self.sampling.top_k :].sum())))
            cut_by[self.sampling.top_k :] = len(cuts)
            final[self.sampling.top_k :] = 0
        if self.sampling.top_p < 1:
            share = final / final.sum()
            kept = int(np.searchsorted(share.cumsum(), self.sampling.top_p)) + 1
            cuts.append(Cut("top-p", kept, float(share[kept:].sum())))
            cut_by[kept:] = np.where(cut_by[kept:] == 0, len(cuts), cut_by[kept:])
            final[kept:] = 0
        return order, final / final.sum(), cuts, cut_by

    def _draw(self, position: int) -> Draw:
        order, final, _, _ = self._after_cuts(self._probs(position, self.sampling.temperature))
        uniform = float(np.random.default_rng([self.seed, position]).random())
        ends = final.cumsum()
        rank = min(int(np.searchsorted(ends, uniform, side="right")), len(final) - 1)
        return Draw(int(order[rank]), uniform, float(ends[rank] - final[rank]), float(ends[rank]))

    def _last_draw(self) -> Draw | None:
        if len(self.ids) <= self.n_prompt:
            return None
        by_hand = len(self.ids) - 1 in self.picked
        return Draw(self.ids[-1], float("nan"), 0.0, 0.0, picked=True) if by_hand else self._draw(len(self.ids) - 2)

    def _prediction(self, position: int, top_k: int) -> Prediction:
        raw = self._probs(position, 1.0)
        probs = self._probs(position, self.sampling.temperature)
        order, final, cuts, cut_by = self._after_cuts(probs)
        next_id = self.ids[position + 1] if position + 1 < len(self.ids) else -1
        draw = None
        if position + 1 >= self.n_prompt and next_id >= 0:
            draw = self._draw(position)
            if position + 1 in self.picked:
                draw = Draw(next_id, float("nan"), 0.0, 0.0, picked=True)
        return Prediction(
            position, frozen(order[:top_k].astype(np.int32)), frozen(raw[order[:top_k]]), frozen(probs[order[:top_k]]),
            frozen(final[:top_k]), frozen(cut_by[:top_k]), tuple(cuts), float(probs[order[top_k:]].sum()),
            max(0, len(order) - top_k), _entropy_bits(raw), _entropy_bits(final), draw, next_id,
        )  # fmt: skip

    def snapshot(self, look: Look) -> Snapshot:
        length = len(self.ids)
        position = look.position if look.position >= 0 else length + look.position
        position = max(0, min(position, length - 1))
        raws = [self._probs(p, 1.0) for p in range(length)]
        surprisal = [float("nan")] + [-float(np.log2(raws[p][self.ids[p + 1]])) for p in range(length - 1)]
        first = look.have_rows if look.have_epoch == self.epoch else 0
        return Snapshot(
            epoch=self.epoch, ids=frozen(np.array(self.ids, np.int32)), n_prompt=self.n_prompt, n_slid=0,
            surprisal_bits=frozen(np.array(surprisal[:length], np.float32)),
            entropy_bits=frozen(np.array([_entropy_bits(p) for p in raws], np.float32)), context=CONTEXT,
            sampling=self.sampling, seed=self.seed,
            prediction=self._prediction(position, look.top_k) if length else None,
            attention=self._attention(look, min(first, length), length) if length else None,
            can_back=length > self.n_prompt, elapsed_ms=1.25,
            last_draw=self._last_draw(),
        )  # fmt: skip

    def _attention(self, look: Look, first: int, length: int) -> AttentionSlice:
        rows = np.zeros((length - first, length), np.float32)
        for row, query in enumerate(range(first, length)):
            scores = np.random.default_rng([look.layer, look.head, query]).normal(0, 1.5, query + 1)
            rows[row, : query + 1] = np.exp(scores) / np.exp(scores).sum()
        return AttentionSlice(look.layer, look.head, first, frozen(rows))


def _entropy_bits(probs: Array) -> float:
    kept = probs[probs > 0]
    return float(-(kept * np.log2(kept)).sum())


def info(pid: int = 1) -> EngineInfo:
    return EngineInfo(frames.VERSION, "0", "none", "fake", 1, pid, 1.0)


class FakeEngine:
    """An `EngineClient` of one process. `gate`, an asyncio.Event if set, holds every answer back until it is set."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.requests: list[Request] = []
        self.info: EngineInfo | None = None
        self.on_event: Callable[[Answer], None] = lambda _: None
        self.on_death: Callable[[str], None] = lambda _: None
        self.gate: asyncio.Event | None = None
        self.alive = False
        self.starts = 0
        self._border = Border()

    async def connect(self) -> None:
        self.alive, self.info = True, info()
        self.starts += 1
        self.on_event(self.info)

    async def restart(self) -> None:
        self.session = FakeSession()
        await self.connect()

    async def request(self, request: Request) -> Answer:
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if not self.alive:
            raise EngineDied("the engine is not running")
        return self._border.checked(self.session.answer(request), request)

    def die(self) -> None:
        self.alive = False
        self.on_death("the engine was killed (SIGKILL)")

    async def close(self) -> None:
        self.alive = False

    def asked(self, kind: type) -> int:
        """How many requests of one kind have been sent."""
        return sum(isinstance(request, kind) for request in self.requests)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--slow-ms", type=float, default=0.0)
    options.add_argument("--die-at-start", action="store_true")
    options.add_argument("--garbage", action="store_true")
    options.add_argument("--other-version", action="store_true")
    options.add_argument("--hostile", action="store_true", help="every string of every answer is full of sequences")
    options.add_argument("--spoil", action="store_true", help="a step is answered with tokens that there are not")
    options.add_argument("--log", default="")
    args, _ = options.parse_known_args()
    if args.die_at_start:
        sys.exit("no such luck")
    out = sys.stdout.buffer
    if args.garbage:
        out.write(b"Welcome to the machine! Last login: today.\n")
        out.flush()
    version = frames.VERSION + (1 if args.other_version else 0)
    out.write(frames.frame(frames.Reply(0, EngineInfo(version, "0", "none", "fake", 1, os.getpid(), 1.0))))
    out.flush()
    session = FakeSession()
    while (body := frames.read_frame(sys.stdin.buffer)) is not None:
        call = frames.decode_call(body)
        if args.log:
            with open(args.log, "a") as file:  # noqa: PTH123
                file.write(f"{time.time()} {type(call.request).__name__}\n")
        time.sleep(args.slow_ms / 1000)
        try:
            answer: Answer = session.answer(call.request)
        except EngineFailure as error:
            answer = message.Failure(str(error))
        if args.hostile:
            answer = spoilt.with_strings(answer, lambda text: text + spoilt.HOSTILE, frozenset({"tokenizer_json"}))
        if args.spoil and isinstance(call.request, protocol.Step) and isinstance(answer, Shown):
            beyond = dataclasses.replace(answer.snapshot, ids=answer.snapshot.ids + 10**6)
            answer = Shown(beyond)
        out.write(frames.frame(frames.Reply(call.number, answer)))
        out.flush()


if __name__ == "__main__":
    main()
