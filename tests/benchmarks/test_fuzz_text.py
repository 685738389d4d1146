"""The gate for text, the drawing of tokens and the tokenizers' way there and back, 10,000 random cases each.

By name: pytest tests/benchmarks/test_fuzz_text.py. The tests proper take a few hundred of the same cases.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.texts import ANY_TEXT, check_bpe, check_characters, check_safe, check_token

CASES = 10_000
BYTES = st.one_of(st.binary(max_size=12), ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
many = settings(max_examples=CASES, deadline=None, database=None)


@many
@given(ANY_TEXT)
def test_text_is_safe(text: str) -> None:
    check_safe(text)


@many
@given(BYTES)
def test_tokens_are_safe(data: bytes) -> None:
    check_token(data)


@many
@given(ANY_TEXT)
def test_a_trained_bpe_loses_nothing(text: str) -> None:
    check_bpe(text)


@many
@given(ANY_TEXT)
def test_closed_vocabularies_say_unknown(text: str) -> None:
    check_characters(text)
