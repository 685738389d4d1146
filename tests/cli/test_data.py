"""Public texts are fetched over a real connection that breaks, lies and comes back; the listing needs none."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpttui.corpora import datasets
from gpttui.corpora.datasets import PublicText, fetch
from gpttui.errors import UserError
from tests.cli.conftest import Cli

BODY = bytes(range(256)) * 2000


class Server(http.server.ThreadingHTTPServer):
    """Serves BODY at every path, in the mood it is told to be in."""

    block_on_close = False
    cut_after: int | None = None
    """Close each connection after so many bytes."""
    knows_range = True
    body = BODY
    status = 200
    ranges: list[str | None]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/text.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        start = 0
        if asked and self.server.knows_range:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        rest = self.server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest if self.server.cut_after is None else rest[: self.server.cut_after])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def text(server: Server) -> PublicText:
    digest = hashlib.sha256(BODY).hexdigest()
    return PublicText("text", "Bytes.", server.url, len(BODY), digest, "public domain", "char")


def test_a_text_is_fetched_once_with_progress(server: Server, text: PublicText) -> None:
    seen: list[tuple[int, int]] = []
    file = fetch(text, progress=lambda done, total: seen.append((done, total)))
    assert file == datasets.file_of(text) and file.read_bytes() == BODY
    assert seen[0] == (0, len(BODY)) and seen[-1] == (len(BODY), len(BODY))
    assert seen == sorted(seen)
    fetch(text)
    assert server.ranges == [None]
    assert [path.name for path in file.parent.iterdir()] == ["text.txt"]


def test_a_connection_that_breaks_is_resumed_at_once(server: Server, text: PublicText) -> None:
    server.cut_after = len(BODY) // 2
    assert fetch(text).read_bytes() == BODY
    assert server.ranges == [None, f"bytes={len(BODY) // 2}-"]


def test_a_download_that_broke_off_goes_on_in_the_next_call(server: Server, text: PublicText) -> None:
    server.cut_after = 1000
    with pytest.raises(UserError, match=r"3,000 of 512,000 bytes are kept"):
        fetch(text)
    assert not datasets.file_of(text).exists()
    server.cut_after = None
    assert fetch(text).read_bytes() == BODY
    assert server.ranges[-1] == "bytes=3000-"


def test_a_server_without_ranges_starts_over(server: Server, text: PublicText, tmp_path: Path) -> None:
    (tmp_path / "t.part").write_bytes(b"rubbish")
    server.knows_range = False
    assert fetch(text, tmp_path / "t").read_bytes() == BODY


@pytest.mark.parametrize("body", [BODY[:-1] + b"!", BODY + b"more"])
def test_other_bytes_are_not_kept(server: Server, text: PublicText, body: bytes) -> None:
    server.body = body
    with pytest.raises(UserError):
        fetch(text)
    server.body = BODY
    assert fetch(text).read_bytes() == BODY


def test_a_part_that_is_complete_but_wrong_is_thrown_away(server: Server, text: PublicText, tmp_path: Path) -> None:
    (tmp_path / "t.part").write_bytes(b"x" * len(BODY))
    with pytest.raises(UserError, match="checksum"):
        fetch(text, tmp_path / "t")
    assert fetch(text, tmp_path / "t").read_bytes() == BODY


def test_a_damaged_file_is_fetched_again(server: Server, text: PublicText) -> None:
    fetch(text).write_bytes(b"cut")
    assert fetch(text).read_bytes() == BODY


def test_a_server_that_says_no(server: Server, text: PublicText) -> None:
    server.status = 404
    with pytest.raises(UserError, match="the server answers 404"):
        fetch(text)


def test_no_network_is_said_plainly(server: Server, text: PublicText) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="no network, or the server is away"):
        fetch(text)


def test_a_place_that_cannot_be_written(server: Server, text: PublicText, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        fetch(text, tmp_path / "file" / "t.txt")


def test_the_verb_fetches_and_prints_the_path(
    cli: Cli, server: Server, text: PublicText, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(datasets.PUBLIC_TEXTS, "text", text)
    listed = {entry["name"]: entry for entry in json.loads(cli("data", "--json").out)}
    assert not listed["text"]["here"] and listed["text"]["size_bytes"] == len(BODY)
    result = cli("data", "text")
    assert result == (0, f"{datasets.file_of(text)}\n", "")
    assert {entry["name"]: entry["here"] for entry in json.loads(cli("data", "--json").out)}["text"]
    again = json.loads(cli("data", "text", "--out", tmp_path / "copy.txt", "--json").out)
    assert again == {"name": "text", "path": str(tmp_path / "copy.txt"), "size_bytes": len(BODY)}


def test_a_fetched_text_can_be_trained_on_by_name(
    text: PublicText, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(datasets.PUBLIC_TEXTS, "text", text)
    with pytest.raises(UserError, match="`gpttui data text` fetches it"):
        datasets.by_name("text")
    fetch(text)
    assert datasets.by_name("text") == datasets.by_name("text.txt") == datasets.file_of(text)
    assert datasets.by_name("other.txt") is None


def test_the_listing_names_every_kind(cli: Cli) -> None:
    listed = json.loads(cli("data", "--json").out)
    kinds = {entry["name"]: entry["kind"] for entry in listed}
    assert kinds["tales"] == "generated" and kinds["python-docs"] == "on this machine" and kinds["names"] == "public"
    printed = cli("data").out
    assert all(name in printed for name in kinds)


def test_unknown_names_are_guessed_and_generated_ones_explained(cli: Cli) -> None:
    assert "did you mean 'tinyshakespeare'" in cli("data", "tinyshakespear").err
    assert "gpttui corpus addition" in cli("data", "addition").err


def test_the_known_checksums_are_those_of_the_texts(data_dir: Path) -> None:
    for text in datasets.PUBLIC_TEXTS.values():
        data = (data_dir / f"{text.name}.txt").read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (text.size_bytes, text.sha256)
