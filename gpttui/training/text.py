"""Where training text comes from: a file, a directory, stdin or a generated corpus, read in blocks.

Bytes that are not UTF-8 are read as U+FFFD and counted, never silently dropped; what is no text is refused. Memory
stays a few blocks whatever the size. Not for tokens: see `gpttui.training.data`.
"""

import codecs
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gpttui.corpora import datasets
from gpttui.errors import UserError

BLOCK_BYTES = 1 << 20
TEXT_SUFFIXES = {".txt", ".md", ".rst", ".py", ".c", ".h", ".cpp", ".js", ".ts", ".java", ".go", ".rs", ".html", ".tex",
                 ".csv", ".json", ".jsonl", ".org", ".text", ".xml", ".sh", ".toml", ".yaml", ".yml"}  # fmt: skip


@dataclass
class TextSource:
    """Some files read as one text, in the order of their names."""

    files: list[Path]
    size_bytes: int
    invalid_bytes: int = 0
    first_invalid: str = ""
    notes: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator[tuple[int, int, str]]:
        """(first byte, byte after the last, text), in order; a character is never in two blocks."""
        before = self.invalid_bytes = 0
        for file in self.files:
            decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
            with file.open("rb") as handle:
                start = 0
                while raw := handle.read(BLOCK_BYTES):
                    text = decoder.decode(raw)
                    if "\ufffd" in text:
                        self._count_invalid(raw, text, file, handle.tell() - len(raw))
                    end = handle.tell() - len(decoder.getstate()[0])
                    yield before + start, before + end, text
                    start = end
                if rest := decoder.decode(b"", final=True):
                    self.invalid_bytes += len(rest)
                    yield before + start, before + handle.tell(), rest
                before += handle.tell()

    def _count_invalid(self, raw: bytes, text: str, file: Path, offset: int) -> None:
        honest = raw.count("\ufffd".encode())
        count = max(0, text.count("\ufffd") - honest)
        if count and not self.invalid_bytes:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                self.first_invalid = f"{file.name}, byte {offset + error.start:,}"
        self.invalid_bytes += count

    def split(self, val_fraction: float) -> Iterator[tuple[bool, str]]:
        """(is validation, text): the first part of the text trains, the rest validates; never mixed."""
        cut = int(self.size_bytes * (1 - val_fraction))
        for start, end, text in self.blocks():
            if end <= cut or start >= cut:
                yield start >= cut, text
                continue
            head = text.encode()[: cut - start].decode("utf-8", errors="ignore")
            yield False, head
            yield True, text[len(head) :]


def open_text(data: str, spool: Path) -> TextSource:
    """The text that `data` names (a path, or `-` for stdin, which is kept in `spool`).

    Raises UserError for what is missing, empty, binary, or one single symbol.
    """
    if data == "-":
        if sys.stdin.isatty():
            raise UserError("--data - reads the text from stdin; pipe one in")
        with spool.open("wb") as handle:
            shutil.copyfileobj(sys.stdin.buffer, handle)
        files = [spool]
    else:
        files = _files_of(Path(data).expanduser())
    source = TextSource(files, sum(file.stat().st_size for file in files))
    _refuse_what_is_no_text(source, "stdin" if data == "-" else data)
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


def _refuse_what_is_no_text(source: TextSource, name: str) -> None:
    if source.size_bytes == 0:
        raise UserError(f"{name} is empty; a model needs some text to learn from")
    counts = np.zeros(256, dtype=np.int64)
    try:
        for file in source.files:
            with file.open("rb") as handle:
                while raw := handle.read(BLOCK_BYTES):
                    counts += np.bincount(np.frombuffer(raw, dtype=np.uint8), minlength=256)
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from error
    control = int(counts[:9].sum() + counts[14:27].sum() + counts[28:32].sum())
    if control > 0.01 * source.size_bytes:
        raise UserError(f"{name} looks binary, not text ({control:,} control bytes); give a plain text in UTF-8")
    if len(symbols := _some_symbols(source)) < 2:
        raise UserError(f"{name} is one single symbol ({symbols.pop()!r}) over and over; there is nothing to predict")


def _some_symbols(source: TextSource) -> set[str]:
    """Different symbols of the text, read until there are two: bytes do not tell, for one symbol may be several."""
    symbols: set[str] = set()
    for _, _, text in source.blocks():
        symbols |= set(text)
        if len(symbols) > 1:
            break
    return symbols


def utf8_note(source: TextSource) -> list[str]:
    """What to tell of bytes that are not UTF-8, once the source has been read. Raises UserError if most are not."""
    if not source.invalid_bytes:
        return []
    if source.invalid_bytes > 0.3 * source.size_bytes:
        raise UserError(f"the text is not UTF-8 ({source.invalid_bytes:,} bytes are not); convert it first (iconv)")
    return [f"{source.invalid_bytes:,} bytes are not UTF-8 (first: {source.first_invalid}); read as U+FFFD"]
