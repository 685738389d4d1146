"""The Hugging Face hub on this machine: repositories with files, sizes, hashes, pull requests; ranges; gates."""

import hashlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Repo:
    files: dict[str, bytes]
    licence: str = "mit"
    gated: bool = False
    converted: "Repo | None" = None
    """What the converter's pull request holds."""

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


@dataclass
class Asked:
    path: str
    range: str | None
    token: str | None


@dataclass
class Hub:
    repos: dict[str, Repo] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    cut_after: int | None = None
    """So many bytes of a file go out, then the connection breaks."""
    spoil: bool = False
    """Files arrive with another last byte than they have."""
    url: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        token = self.headers.get("Authorization")
        self.hub.asked.append(Asked(self.path, self.headers.get("Range"), token))
        parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        is_api = parts[:2] == ["api", "models"]
        parts = parts[2:] if is_api else parts
        owner = 1 if parts[0] in self.hub.repos else 2
        name, rest = "/".join(parts[:owner]), parts[owner:]
        repo = self.hub.repos.get(name)
        if repo is None:
            self.send_error(404)
        elif repo.gated and token != "Bearer let-me-in":
            self.send_error(401)
        elif is_api and rest[0] == "discussions":
            found = [{"num": 7, "title": "safetensors", "author": {"name": "SFconvertbot"}}] * bool(repo.converted)
            self._json({"discussions": found, "count": len(found), "start": 0})
        elif is_api:
            revision = "/".join(rest[1:])
            if revision not in ("main", "refs/pr/7"):
                self.send_error(404)
                return
            self._json(_info(name, repo.converted if revision != "main" and repo.converted else repo))
        else:
            held = repo if repo.commit == rest[1] else repo.converted
            assert held is not None and held.commit == rest[1]
            self._file(held.files["/".join(rest[2:])])

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, body: bytes) -> None:
        if self.hub.spoil:
            body = body[:-1] + bytes([body[-1] ^ 1])
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body) if self.hub.cut_after is None else start + self.hub.cut_after
        self.wfile.write(body[start:end])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def _info(name: str, repo: Repo) -> dict[str, object]:
    siblings = []
    for file, content in repo.files.items():
        told: dict[str, object] = {"rfilename": file, "size": len(content)}
        told["blobId"] = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        if len(content) > 10_000 or file.endswith((".safetensors", ".gguf", ".bin")):
            told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        siblings.append(told)
    return {
        "id": name, "sha": repo.commit, "siblings": siblings, "gated": repo.gated, "private": False,
        "cardData": {"license": repo.licence}, "tags": ["x"], "downloads": 3,
    }  # fmt: skip


@contextmanager
def running() -> Iterator[Hub]:
    hub = Hub()
    handler = type("Handler", (Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        server.shutdown()
        thread.join()
