"""Where training text comes from: a file, a directory, stdin or a generated corpus, read in blocks.

Line ends come out as newlines whatever system wrote them, a byte order mark is left out, both are told. A few bytes
that are not UTF-8 are read as U+FFFD and counted, never silently dropped; a text in another encoding, and what is no
text, is refused. Memory stays a few blocks whatever the size. Not for tokens: see `gpttui.training.data`.
"""

import codecs
import io
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gpttui.corpora import datasets, json_lines
from gpttui.errors import UserError
from gpttui.text import new_lines, safe_text

BLOCK_BYTES = 1 << 20
HEAD_BYTES = 1000
MOST_STRAY = 0.001
"""Where more of the bytes are not UTF-8, the text is in another encoding: every accent of it would be lost."""
TEXT_SUFFIXES = {
    *(".txt .text .md .rst .org .tex .csv .json .xml .html .toml .yaml .yml".split()),
    *(".py .c .h .cpp .js .ts .java .go .rs .sh".split()),
    *json_lines.SUFFIXES,
}


@dataclass
class TextSource:
    """Some files read as one text, in the order of their names."""

    files: list[Path]
    size_bytes: int
    text_field: str = ""
    """Of JSON lines, learn this field alone."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of how the bytes were read."""

    def blocks(self) -> Iterator[tuple[int, int, str]]:
        """(first byte, byte after the last, text), in order; a character is never in two blocks."""
        before = 0
        for file in self.files:
            with file.open("rb") as handle:
                for start, end, text in self._blocks_of(file, handle):
                    yield before + start, before + end, text
                before += handle.tell()

    def _blocks_of(self, file: Path, handle: BinaryIO) -> Iterator[tuple[int, int, str]]:
        if not self.text_field:
            return _decoded(handle)
        lines = json_lines.texts(handle, self.text_field, safe_text(file.name))
        return ((start, end, new_lines(text)) for start, end, text in lines)

    def split(self, val_fraction: float) -> Iterator[tuple[bool, str]]:
        """(is validation, text): the first part of the text trains, the rest validates; never mixed."""
        cut = int(self.size_bytes * (1 - val_fraction))
        for start, end, text in self.blocks():
            if end <= cut or start >= cut:
                yield start >= cut, text
                continue
            raw = text.encode()  # as long as the bytes it was read from, or a little shorter: line ends
            head = raw[: len(raw) * (cut - start) // (end - start)].decode("utf-8", errors="ignore")
            yield False, head
            yield True, text[len(head) :]


def _decoded(handle: BinaryIO) -> Iterator[tuple[int, int, str]]:
    plain = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
    decoder = io.IncrementalNewlineDecoder(plain, translate=True)
    start = 0
    while raw := handle.read(BLOCK_BYTES):
        text = decoder.decode(raw)
        end = handle.tell() - len(decoder.getstate()[0])
        yield start, end, text
        start = end
    if rest := decoder.decode(b"", final=True):
        yield start, handle.tell(), rest


def open_text(data: str, spool: Path, text_field: str = "") -> TextSource:
    """The text that `data` names (a path, or `-` for stdin, which is kept in `spool`).

    `text_field`: of JSON lines, this field's text alone. Raises UserError for what is missing, empty, binary, not
    UTF-8, or one single symbol.
    """
    if data == "-":
        if sys.stdin.isatty():
            raise UserError("--data - reads the text from stdin; pipe one in")
        with spool.open("wb") as handle:
            shutil.copyfileobj(sys.stdin.buffer, handle)
        files = [spool]
    else:
        files = _files_of(Path(data).expanduser())
    if text_field and (
        other := [file for file in files if file.suffix.lower() not in json_lines.SUFFIXES and file != spool]
    ):
        raise UserError(f"{safe_text(str(other[0]))} does not hold JSON lines (.jsonl); leave --text-field out")
    source = TextSource(files, sum(file.stat().st_size for file in files), text_field)
    _look_through(source, "stdin" if data == "-" else data)
    return source


def _files_of(path: Path) -> list[Path]:
    if not path.exists() and (known := datasets.by_name(str(path))):
        path = known
    if not path.exists():
        raise UserError(f"no text at {path}; give a file, a directory of texts, or corpus:NAME")
    if path.is_file():
        return [path]
    try:
        inside = [p for p in path.rglob("*") if p.suffix.lower() in TEXT_SUFFIXES]
        files = sorted(p for p in inside if p.is_file() and p.stat().st_size)
    except OSError as error:
        raise UserError(f"cannot read {error.filename or path}: {error.strerror}; give a folder of texts") from error
    if not files:
        raise UserError(f"{path} holds no texts (files such as .txt, .md or .py); give another directory or a file")
    return files


@dataclass
class _Seen:
    """What the bytes of a file are."""

    file: Path
    counts: np.ndarray[tuple[int], np.dtype[np.int64]] = field(default_factory=lambda: np.zeros(256, np.int64))
    head: bytes = b""
    stray: int = 0
    """Bytes that are not UTF-8."""
    first_stray: int = 0
    """Where the first of them stands, from 0."""

    @property
    def marked(self) -> bool:
        return self.head.startswith(codecs.BOM_UTF8)

    @property
    def encoding(self) -> str:
        """A guess at another encoding than UTF-8; empty where there is nothing to go by."""
        if self.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "UTF-32" if self.head[2:4] == b"\0\0" else "UTF-16"
        if self.counts[0] > 0.2 * self.counts.sum():
            return "UTF-16LE" if self.head[1::2].count(0) > self.head[0::2].count(0) else "UTF-16BE"
        letters = self.counts[0x41:0x5B].sum() + self.counts[0x61:0x7B].sum()
        undefined = self.counts[[0x81, 0x8D, 0x8F, 0x90, 0x9D]].sum()
        return "WINDOWS-1252" if self.stray and not undefined and self.counts[128:].sum() < letters / 3 else ""


def _look_through(source: TextSource, name: str) -> None:
    """All of the bytes once: fills the source's notes. Raises UserError for what cannot be learned from."""
    if source.size_bytes == 0:
        raise UserError(f"{name} is empty; a model needs some text to learn from")
    try:
        seen = [_seen(file) for file in source.files]
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
    worst = max(seen, key=lambda one: one.stray)
    stray = sum(one.stray for one in seen)
    if (coded := next((one for one in seen if one.encoding.startswith("UTF")), None)) is not None:
        raise UserError(_not_utf8(coded, name))
    counts = sum((one.counts for one in seen), np.zeros(256, np.int64))
    control = int(counts[:9].sum() + counts[14:27].sum() + counts[28:32].sum())
    if control > 0.01 * source.size_bytes:
        raise UserError(f"{name} looks binary, not text ({control:,} control bytes); give a plain text in UTF-8")
    if stray > MOST_STRAY * source.size_bytes:
        raise UserError(_not_utf8(worst, name))
    if len(symbols := _some_symbols(source)) < 2:
        if not symbols:
            raise UserError(f"{name} is empty; a model needs some text to learn from")
        raise UserError(f"{name} is one single symbol ({symbols.pop()!r}) over and over; there is nothing to predict")
    if stray:
        are, where = ("byte is", "") if stray == 1 else ("bytes are", "first: ")
        where += f"{safe_text(worst.file.name)}, byte {worst.first_stray + 1:,}"
        source.notes.append(f"{stray:,} {are} not UTF-8 ({where}); read as U+FFFD")
    if marked := [one.file for one in seen if one.marked]:
        source.notes.append(f"byte order mark left out: {_files(marked)}")
    if foreign := [one.file for one in seen if one.counts[0x0D]]:
        source.notes.append(f"line ends of another system (CR) read as newlines: {_files(foreign)}")
    if not source.text_field and (fields := json_lines.text_fields(source.files[0])):
        given = f"--text-field {shlex.quote(safe_text(fields[0]))}"
        source.notes.append(f"JSON lines are learned as they stand; {given} learns the text in that field alone")


def _files(files: list[Path]) -> str:
    first = safe_text(files[0].name)
    return first if len(files) == 1 else f"{len(files):,} files (first: {first})"


def _seen(file: Path) -> _Seen:
    seen, decoder, at = _Seen(file), codecs.getincrementaldecoder("utf-8")(errors="surrogateescape"), 0
    with file.open("rb") as handle:
        while True:
            raw = handle.read(BLOCK_BYTES)
            held = len(decoder.getstate()[0])
            text = decoder.decode(raw, final=not raw)
            if not text.isascii():
                _count_stray(seen, text, at - held)
            if not raw:
                return seen
            seen.head += raw[: max(0, HEAD_BYTES - len(seen.head))]
            seen.counts += np.bincount(np.frombuffer(raw, dtype=np.uint8), minlength=256)
            at += len(raw)


def _count_stray(seen: _Seen, text: str, starts_at: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if not seen.stray:
            seen.first_stray = starts_at + len(text[: error.start].encode())
        seen.stray += len(re.findall("[\udc80-\udcff]", text))


def _not_utf8(seen: _Seen, name: str) -> str:
    """The file, how it shows, and the command that mends it."""
    what = name if name == "stdin" else safe_text(str(seen.file))
    guess = seen.encoding
    looks = f"; it looks like {guess}" if guess else f" ({seen.stray:,} bytes are not)"
    mended = shlex.quote(f"{safe_text(seen.file.stem)}-utf8.txt")
    file = "" if name == "stdin" else f" {shlex.quote(what)} > {mended}"
    return f"{what} is not UTF-8{looks}; convert it: iconv -f {guess or 'ITS-ENCODING'} -t UTF-8{file}"


def _some_symbols(source: TextSource) -> set[str]:
    """Different symbols of the text, read until there are two: bytes do not tell, for one symbol may be several."""
    symbols: set[str] = set()
    for _, _, text in source.blocks():
        symbols |= set(text)
        if len(symbols) > 1:
            break
    return symbols
