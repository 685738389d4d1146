"""What can be trained on: generated worlds, texts that this machine has anyway, public texts fetched by name.

Not for: a person's own files, which need no list, and reading or splitting texts (`gpttui.training`). No torch.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gpttui import locations
from gpttui.corpora.registry import CORPORA
from gpttui.errors import UserError, no_such
from gpttui.storage import download
from gpttui.storage.download import Progress, Remote, untold


@dataclass(frozen=True, slots=True)
class PublicText:
    """A text on the network whose every byte is known."""

    name: str
    description: str
    url: str
    size_bytes: int
    sha256: str
    licence: str
    tokenizer: str
    """What suits it, as `gpttui train --tokenizer` takes it."""


PUBLIC_TEXTS = {
    text.name: text
    for text in (
        PublicText(
            name="tinyshakespeare",
            description="40,000 lines of Shakespeare's plays; the common yardstick for small GPTs.",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            size_bytes=1_115_394,
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            licence="public domain",
            tokenizer="char",
        ),
        PublicText(
            name="names",
            description="32,033 first names, one a line.",
            url="https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",
            size_bytes=228_145,
            sha256="0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
            licence="MIT",
            tokenizer="char",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One line of `gpttui data`."""

    name: str
    kind: Literal["generated", "on this machine", "public"]
    description: str
    tokenizer: str
    here: bool
    """Ready, with no network and nothing to install."""
    needs: str = ""
    """The optional package that it comes with."""
    path: str | None = None
    """Where the file is, or will be; None for what is generated."""
    size_bytes: int | None = None
    """None where there is no end."""
    url: str | None = None
    licence: str | None = None


def listing() -> list[Dataset]:
    """Everything that has a name, generated worlds first. Nothing is opened or fetched."""
    found = [
        Dataset(
            name=spec.name,
            kind="on this machine" if spec.found_here else "generated",
            description=spec.description,
            tokenizer=spec.tokenizer,
            here=is_ready(spec.name),
            needs=spec.needs,
        )
        for spec in CORPORA.values()
    ]
    for text in PUBLIC_TEXTS.values():
        file = file_of(text)
        found.append(
            Dataset(
                name=text.name,
                kind="public",
                description=text.description,
                tokenizer=text.tokenizer,
                here=file.exists(),
                path=str(file),
                size_bytes=text.size_bytes,
                url=text.url,
                licence=text.licence,
            )
        )
    return found


def is_ready(corpus: str) -> bool:
    """Whether a corpus can be read with no network and nothing to install."""
    spec = CORPORA[corpus]
    if spec.reads:
        return file_of(PUBLIC_TEXTS[spec.reads]).exists()
    return not spec.needs or find_spec(spec.needs) is not None


def public_text(name: str) -> PublicText:
    """The entry called `name`. Raises UserError, naming those there are, if there is none."""
    if name in PUBLIC_TEXTS:
        return PUBLIC_TEXTS[name]
    if name in CORPORA:
        raise UserError(f"{name} is generated, there is nothing to fetch: `gpttui corpus {name}` prints it")
    raise UserError(no_such("public text", name, PUBLIC_TEXTS))


def file_of(text: PublicText) -> Path:
    """Where a public text is kept once it is here."""
    return locations.texts_dir() / f"{text.name}.txt"


def by_name(data: str) -> Path | None:
    """The file of the public text that `data` names (`names` or `names.txt`); None where it names none.

    Raises UserError, saying how to get it, if that text is not here yet.
    """
    name = data.removesuffix(".txt")
    return here(name) if name in PUBLIC_TEXTS else None


def here(name: str) -> Path:
    """The file of the public text `name`. Raises UserError, saying how to get it: nothing is fetched unasked."""
    file = file_of(public_text(name))
    if not file.exists():
        raise UserError(f"{name} is not on this machine yet; `gpttui data {name}` fetches it")
    return file


def fetch(text: PublicText, target: Path | None = None, progress: Progress = untold) -> Path:
    """The file of a public text, fetched if it is not here yet. Raises UserError as `download.fetch` does."""
    remote = Remote(text.name, text.url, text.size_bytes, text.sha256)
    return download.fetch(remote, target or file_of(text), progress)
