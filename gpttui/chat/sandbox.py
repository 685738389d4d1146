"""A program of its own that renders chat templates: they are code out of a downloaded file.

Started by `gpttui.chat.render` as a child that can be ended, with nothing of gpttui in it. Jinja2's sandbox keeps a
template from Python's insides; the limits below keep it from time, memory and files where the sandbox fails. The
environment is that of transformers, so that a template gives the same text here. One JSON line in, one out.
"""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

CPU_S, MEMORY_BYTES, MOST_CHARACTERS = 2, 1 << 29, 2_000_000


class Generation(Extension):
    """`{% generation %}` marks what the model is to write; it is rendered as it stands."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


class PlainNamespace(Namespace):
    """A namespace whose attributes cannot be Python's own."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise SecurityError(f"a namespace cannot hold {name!r}")
        super().__setitem__(name, value)


def refuse(message: str) -> None:
    raise TemplateError(message)


def to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """Without the escapes for HTML that Jinja2's own filter makes."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment(now: datetime) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    made.filters["tojson"] = to_json
    made.globals |= {
        "raise_exception": refuse,
        "strftime_now": now.strftime,
        "namespace": PlainNamespace,
    }
    return made


def render(request: dict[str, Any]) -> Iterator[dict[str, str]]:
    """For each set of variables its text, or why there is none."""
    template = environment(datetime.fromisoformat(request["now"])).from_string(request["template"])
    for variables in request["runs"]:
        try:
            parts, length = [], 0
            for part in template.generate(**variables):
                parts.append(part)
                length += len(part)
                if length > MOST_CHARACTERS:
                    raise TemplateError(f"it writes more than {MOST_CHARACTERS:,} characters")
            yield {"text": "".join(parts)}
        except Exception as error:
            yield {"error": why(error)}


def why(error: Exception) -> str:
    said = {RecursionError: "it calls itself without end", MemoryError: "it needs too much memory"}
    return said.get(type(error)) or f"{error}" or type(error).__name__


def limit() -> None:
    """No file, no core, a bounded memory: what is open stays open."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


WARM_UP = r"{{ '\n\u00e9' ~ [1] | tojson ~ strftime_now('%B') }}{% if wrong %}{{ raise_exception('') }}{% endif %}"


def load_all() -> None:
    """What Python and Jinja2 import only where it is needed: no file can be opened later."""
    import jinja2.constants
    import jinja2.debug  # noqa: F401

    runs = [{}, {"wrong": True}]
    list(render({"now": datetime.now().isoformat(), "template": WARM_UP, "runs": runs}))


def main() -> None:
    load_all()
    limit()
    for line in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent_s = int(used.ru_utime + used.ru_stime) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent_s + CPU_S, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        try:
            answer: Any = list(render(json.loads(line)))
        except Exception as error:
            answer = [{"error": why(error)}]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
