"""One text being written by one model: prompt, step, back, choose, and what there is to see of it.

The text is all tokens from the prompt on; the model sees the window, its last part, which slides by a quarter of the
context when it is full. Where it starts depends on the text's length alone, so every way to a text shows the same.
Decisions live here; the screen, the engine and the shell verbs only ask. No screen, no files.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter, time_ns

import numpy as np

from gpttui.errors import UserError
from gpttui.inference.bounds import after_the_end, beginning, known
from gpttui.inference.recorder import Window, window_start
from gpttui.inference.sampling import Distribution, check, distribution, predict, uniform
from gpttui.model.gpt import GPT
from gpttui.model.taps import Tap
from gpttui.protocol.message import Look
from gpttui.records import Array, AttentionSlice, Conversation, Draw, Prediction, Sampling, Snapshot, Told, frozen
from gpttui.tokenizers import Tokenizer

EPOCHS = itertools.count(time_ns() // 1000)
"""No two sessions share one, nor does a dead engine's: a screen can tell the rows of one text from another's."""
EARLIER_BYTES = 64 << 20
"""Windows that have slid away are kept this far, so that going back over a slide is immediate and exact."""


class Session:
    """The text so far and the model's view of it. Every change is whole: where one fails, nothing has changed."""

    def __init__(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        *,
        sampling: Sampling | None = None,
        seed: int = 0,
        prompt: str = "",
        tap: Tap | None = None,
        tap_names: tuple[str, ...] = (),
        ends: Iterable[int] = (),
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.ends = frozenset(ends)
        """Ids with which the model ends its text."""
        self.sampling, self.seed = check(sampling or Sampling(), model.config.vocab_size), seed
        self.tap, self.tap_names = tap, tap_names
        self.conversation: Conversation | None = None
        """What the prompt is, where it is not just a text."""
        self.weights = ""
        """Which weights these are, in words, where they are not simply the opened model's."""
        self.epoch = next(EPOCHS)
        self._earlier: list[Window] = []
        self._stable_rows = 0
        self._begin(self.encode(prompt))

    # ── The text ──────────────────────────────────────────────────────────────────────────────────────────────────

    def encode(self, prompt: str) -> list[int]:
        """The prompt's tokens; an empty one becomes the start token. Raises UserError for ids the model has not."""
        return self._known(beginning(self.tokenizer, prompt))

    def _known(self, ids: Sequence[int]) -> list[int]:
        return known(ids, self.model.config.vocab_size)

    def __len__(self) -> int:
        return self._length

    @property
    def ids(self) -> Array:
        """`[T]` int32: a copy of all tokens of the text."""
        return self._ids[: self._length].copy()

    @property
    def text(self) -> str:
        return self.tokenizer.decode(self._ids[: self._length].tolist())

    @property
    def n_slid(self) -> int:
        """Tokens at the start of the text that the model no longer sees."""
        return self.window.start

    @property
    def draws(self) -> tuple[Draw | None, ...]:
        """How each token behind the prompt was chosen."""
        return tuple(self._draws)

    def set_prompt(self, text: str) -> None:
        """A new text from the start, run in one batched pass."""
        self._begin(self.encode(text))
        self.conversation = None

    def converse(self, conversation: Conversation) -> None:
        """A conversation instead of a text: the model is to answer."""
        self._begin(self._known(conversation.ids))
        self.conversation = conversation

    @contextmanager
    def reading(self, *, bare: bool) -> Iterator[None]:
        """Texts from now on stand `bare`, or within what the tokenizer puts around them; as before where that fails."""
        before, self.tokenizer = self.tokenizer, self.tokenizer.bare(bare)
        try:
            yield
        except Exception:
            self.tokenizer = before
            raise

    @property
    def ended(self) -> bool:
        """Whether the model has drawn the end of its text. One that a person chose ends nothing, nor does a turn's."""
        draw = self._draws[-1] if self._draws and self.conversation is None else None
        return draw is not None and not draw.picked and draw.token_id in self.ends

    def _begin(self, ids: list[int], n_prompt: int | None = None, draws: Sequence[Draw | None] = ()) -> None:
        window = self._window(np.asarray(ids, dtype=np.int32))
        self._length = len(ids)
        self._ids = np.empty(max(1024, 2 * len(ids)), dtype=np.int32)
        self._ids[: len(ids)] = ids
        self.n_prompt = len(ids) if n_prompt is None else n_prompt
        self._draws = list(draws)
        self._slid = np.full((2, window.start), math.nan, dtype=np.float32)
        self._replace(window)

    def _window(self, ids: Array) -> Window:
        start = window_start(len(ids), self.model.config.context)
        return Window(self.model, ids[start:], start=start, tap=self.tap)

    def _replace(self, window: Window, earlier: Sequence[Window] = ()) -> None:
        self.window = window
        self._earlier = list(earlier)
        self.epoch = next(EPOCHS)
        self._stable_rows = 0

    def step(self) -> int:
        """Draw the next token, append it, return its id. Raises UserError at an end, or where there is no text."""
        if self.ended:
            raise after_the_end(self.tokenizer, int(self._ids[self._length - 1]))
        draw = self.next_draw()
        self._append(draw)
        return draw.token_id

    def next_draw(self) -> Draw:
        """What `step` will append, without doing it."""
        return self._distribution(self._length - 1).draw(uniform(self.seed, self._length - 1))

    def _distribution(self, position: int) -> Distribution:
        """What follows a position that is in the window, under the present settings. UserError for an empty text."""
        self._need_text()
        logits = self.window.row_logits(position - self.window.start)
        return distribution(logits, self.sampling, self._ids[: position + 1])

    def logits(self) -> Array:
        """`[vocab]` float32: what the last position says of the token to come. Raises UserError for an empty text."""
        self._need_text()
        return self.window.row_logits(self.window.length - 1)

    def _need_text(self) -> None:
        if not self._length:
            raise UserError("there is no text to go on from; type a prompt")

    def append(self, token_id: int) -> None:
        """Put a token of your choice at the end."""
        self._append(self._picked(self._known([token_id])[0]))

    def choose(self, position: int, token_id: int) -> None:
        """Put `token_id` after `position`, dropping what followed there. Raises UserError outside the appended text."""
        if position < 0:
            position += self._length
        if not self.n_prompt - 1 <= position < self._length:
            raise UserError("only tokens behind the prompt can be chosen anew; edit the prompt to change the others")
        self._known([token_id])
        dropped = position + 1 < self._length
        self.back_to(position + 1)
        self.append(token_id)
        if dropped:
            self.epoch = next(EPOCHS)

    def _picked(self, token_id: int) -> Draw:
        if not self._length:
            return Draw(token_id, math.nan, 0.0, 1.0, picked=True)
        low, high = self._distribution(self._length - 1).stretch(token_id)
        return Draw(token_id, math.nan, low, high, picked=True, sampling=self.sampling)

    def _append(self, draw: Draw) -> None:
        position = self._length
        if position == self._ids.size:
            self._ids = np.concatenate((self._ids, np.empty_like(self._ids)))
        self._ids[position] = draw.token_id
        if self.window.room:
            self.window.extend([draw.token_id])
        else:
            self._slide(position + 1)
        self._length = position + 1
        self._draws.append(draw)

    def _slide(self, length: int) -> None:
        old, new = self.window, self._window(self._ids[:length])
        rows = np.concatenate((self._slid, (old.surprisal_bits[: old.length], old.entropy_bits[: old.length])), axis=1)
        self._slid = rows[:, : new.start]
        if new.length > 1:
            new.surprisal_bits[0] = rows[0, new.start]
        earlier = [*self._earlier, old]
        while earlier and sum(window.size_bytes for window in earlier) > EARLIER_BYTES:
            earlier.pop(0)
        self._replace(new, earlier)

    @property
    def can_back(self) -> bool:
        return self._length > self.n_prompt

    def back(self) -> None:
        """Take the last token back. Raises UserError at the prompt."""
        if not self.can_back:
            raise UserError("this is the prompt; there is no step to take back")
        self.back_to(self._length - 1)

    def home(self) -> None:
        """Take back every token behind the prompt."""
        self.back_to(self.n_prompt)

    def back_to(self, length: int) -> None:
        """Take back tokens until `length` are left; never below the prompt. What stays, stays as it was."""
        length = max(self.n_prompt, length)
        if length >= self._length:
            return
        start = window_start(length, self.model.config.context)
        if start != self.window.start:
            earlier = [window for window in self._earlier if window.start <= start]
            if earlier and earlier[-1].start == start:
                window = earlier.pop()
            else:
                window = Window(self.model, self._ids[start:length], start=start, tap=self.tap)
                if start and window.length:
                    window.surprisal_bits[0] = self._slid[0, start]
            self._slid = self._slid[:, :start]
            self._replace(window, earlier)
        self.window.truncate(length - start)
        self._stable_rows = min(self._stable_rows, self.window.length)
        self._length = length
        del self._draws[length - self.n_prompt :]

    def restore(
        self, prompt: str | Conversation, appended: Sequence[int], picked: Sequence[bool], draws: Sequence[Told] = ()
    ) -> None:
        """Put a text back as it was, in one batched pass; `picked` tells which tokens a person chose.

        `draws`: how each was drawn then; of those that are not told it is worked out from the present settings.
        """
        ids = self.encode(prompt) if isinstance(prompt, str) else self._known(prompt.ids)
        self._continue(ids, appended, picked, draws)
        self.conversation = None if isinstance(prompt, str) else prompt

    def jump(self, appended: Sequence[int], picked: Sequence[bool], draws: Sequence[Told] = ()) -> None:
        """Put another continuation behind the prompt: a branch that was left."""
        self._continue(self._ids[: self.n_prompt].tolist(), appended, picked, draws)

    def _continue(self, ids: list[int], appended: Sequence[int], picked: Sequence[bool], draws: Sequence[Told]) -> None:
        tokens = self._known(appended)
        if len(picked) != len(tokens):
            raise UserError("the saved session is damaged: it does not say for every token how it was chosen")
        self._begin([*ids, *tokens], n_prompt=len(ids))
        self._draws = [None] * len(tokens)
        for n, (token_id, by_hand) in enumerate(zip(tokens, picked, strict=True)):
            told = draws[n] if n < len(draws) else None
            if told is None:
                self._draws[n] = self._restored_draw(len(ids) + n - 1, token_id, by_hand)
            else:
                number = math.nan if told.uniform is None else told.uniform
                under = told.sampling or self.sampling
                self._draws[n] = Draw(token_id, number, told.low, told.high, picked=by_hand, sampling=under)

    def _restored_draw(self, position: int, token_id: int, by_hand: bool) -> Draw:
        row = position - self.window.start
        if row < 0 or (self.sampling.temperature == 0 and not by_hand):
            return Draw(token_id, math.nan, 0.0, 1.0, picked=by_hand)
        low, high = self._distribution(position).stretch(token_id)
        number = uniform(self.seed, position)  # unless settings or seed were others then
        drawn = low <= number < high and not by_hand
        under = self.sampling if drawn else None
        return Draw(token_id, number if drawn else math.nan, low, high, picked=by_hand, sampling=under)

    # ── Settings and model ────────────────────────────────────────────────────────────────────────────────────────

    def set_sampling(self, sampling: Sampling) -> None:
        """How the tokens from here on are drawn; those that stand, stand."""
        self.sampling = check(sampling, self.model.config.vocab_size)

    def set_seed(self, seed: int) -> None:
        """The seed of the draws from here on."""
        self.seed = seed

    def set_taps(self, tap: Tap | None, names: tuple[str, ...]) -> None:
        """Change the model's activations by `tap` from now on, and run the window afresh with it."""
        before = self.tap, self.tap_names
        self.tap, self.tap_names = tap, names
        try:
            self.recompute()
        except Exception:
            self.tap, self.tap_names = before
            raise

    def use_model(self, model: GPT) -> None:
        """The same text under other weights (a checkpoint, say) of the same vocabulary."""
        before, self.model = self.model, model
        try:
            self._known(self._ids[: self._length].tolist())
            self.recompute()
        except Exception:
            self.model = before
            raise

    def redraw(self, model: GPT, weights: str, count: int) -> None:
        """The same prompt under other weights of the same vocabulary, and `count` tokens drawn anew behind it."""
        before = self.model, self.weights, self._ids[: self._length].tolist(), self.n_prompt, self.draws
        self.model, self.weights = model, weights
        try:
            self._begin(self._known(self._ids[: self.n_prompt].tolist()))
            for _ in range(count if self._length else 0):
                if self.ended:
                    break
                self.step()
        except Exception:
            self.model, self.weights, ids, n_prompt, draws = before
            self._begin(ids, n_prompt, draws)
            raise

    def recompute(self) -> None:
        """Run the window again: its weights or its taps have changed. The text stays."""
        window = self._window(self._ids[: self._length])
        self._slid = np.full((2, window.start), math.nan, dtype=np.float32)
        self._replace(window)

    # ── What there is to see ──────────────────────────────────────────────────────────────────────────────────────

    def row(self, position: int) -> int:
        """The window's row of `position` (negative: from the end), the nearest one where it has left the window."""
        if position < 0:
            position += self._length
        return min(max(position - self.window.start, 0), max(self.window.length - 1, 0))

    def prediction(self, position: int = -1, top_k: int = 20) -> Prediction | None:
        """What may follow `position`, under the present settings; None for an empty text."""
        if not self._length:
            return None
        row = self.row(position)
        at = self.window.start + row
        after = at + 1 - self.n_prompt
        return predict(
            self.window.row_logits(row),
            self.sampling,
            top_k,
            position=at,
            text=self._ids[: at + 1],
            draw=self._draws[after] if 0 <= after < len(self._draws) else None,
            next_id=int(self._ids[at + 1]) if at + 1 < self._length else -1,
        )

    def attention(self, layer: int, head: int, first_query: int = 0) -> AttentionSlice | None:
        """One head's rows from `first_query` (of the window) on; layer and head are brought into range."""
        if not self._length:
            return None
        layer = min(max(layer, 0), self.model.config.n_layer - 1)
        head = min(max(head, 0), self.model.config.n_head - 1)
        first = min(max(first_query, 0), self.window.length)
        return AttentionSlice(layer, head, first, self.window.attention(layer, head, first))

    def snapshot(self, look: Look | None = None, *, since_s: float | None = None) -> Snapshot:
        """What the screen shows when it looks at `look`; `since_s` (perf_counter) is when its request came."""
        look = look or Look()
        window, length = self.window, self.window.length
        first = min(look.have_rows, self._stable_rows) if look.have_epoch == self.epoch else 0
        surprisal = np.concatenate((self._slid[0], window.surprisal_bits[:length]))
        entropy = np.concatenate((self._slid[1], window.entropy_bits[:length]))
        found = Snapshot(
            epoch=self.epoch,
            ids=frozen(self.ids),
            n_prompt=self.n_prompt,
            n_slid=window.start,
            surprisal_bits=frozen(surprisal),
            entropy_bits=frozen(entropy),
            context=self.model.config.context,
            sampling=self.sampling,
            seed=self.seed,
            prediction=self.prediction(look.position, look.top_k),
            attention=self.attention(look.layer, look.head, first),
            can_back=self.can_back,
            elapsed_ms=0.0,
            interventions=self.tap_names,
            weights=self.weights,
            turns=() if self.conversation is None else self.conversation.turns,
            last_draw=self._draws[-1] if self._draws else None,
            ended=self.ended,
        )
        self._stable_rows = length
        return found if since_s is None else replace(found, elapsed_ms=(perf_counter() - since_s) * 1e3)
