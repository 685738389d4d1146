"""A chat template is code out of a file: whatever it tries ends in one line, soon, and in the child alone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpttui.chat.render import Renderer
from gpttui.errors import UserError

HOSTILE = {
    "endless": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "huge": "{{ 'a' * 10 ** 10 }}",
    "long": "{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}",
    "doubling": "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "wide": "{{ '%1000000000d' % 1 }}",
    "formatted": "{{ '{:1000000000}'.format(1) }}",
    "number": "{{ 2 ** 99999999999 }}",
    "recursive": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "deep": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "class": "{{ ''.__class__.__base__.__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "namespace": "{% set ns = namespace(__class__=1) %}{% set ns.__init__ = 1 %}{{ ns.__class__.__mro__ }}",
    "changes": "{% set _ = messages.append(1) %}",
    "attribute": "{{ messages | attr('__class__') | attr('__mro__') | first }}",
    "map": "{{ ['x'] | map(attribute='__class__.__mro__') | list }}",
    "import": "{% import 'os' as os %}",
    "include": "{% include '/etc/passwd' %}",
    "broken": "{% if %}",
    "exception": "{{ raise_exception('a\\nb\\x1b[31m' * 1000) }}",
}


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_one_line(name: str, renderer: Renderer) -> None:
    began_s = time.monotonic()
    try:
        (said,) = renderer.texts(HOSTILE[name], [{"messages": []}])
    except UserError as error:
        said = error
    if name in ("attribute", "map"):  # what is unsafe is undefined, which is written as nothing
        assert isinstance(said, UserError) or "class" not in said
    else:
        assert isinstance(said, UserError)
        assert str(said).startswith("the chat template") and len(str(said)) < 300
        assert str(said).isprintable()
    assert time.monotonic() - began_s < 30
    assert renderer.texts("{{ 1 + 1 }}", [{}]) == ["2"]  # another child, where the first had to be ended


def test_no_file_is_opened_and_no_secret_is_there(renderer: Renderer, tmp_path: Path) -> None:
    (said,) = renderer.texts("{{ self }}{{ lipsum(1) }}{{ joiner }}{{ dict(a=1) }}", [{}])
    assert isinstance(said, str) and "root:" not in said
    assert list(tmp_path.iterdir()) == []


def test_one_run_that_fails_leaves_the_others(renderer: Renderer) -> None:
    told = renderer.texts("{% if bad %}{{ raise_exception('no') }}{% endif %}{{ n }}", [{"n": 1}, {"bad": 1}, {"n": 3}])
    assert [str(text) for text in told] == ["1", "the chat template refuses: no", "3"]
