"""The gate for text and the drawing of tokens, 10,000 random cases each: python -m tests.benchmarks.fuzz_text"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_text import ANY_TEXT, check_safe, check_token

CASES = 10_000
BYTES = st.one_of(st.binary(max_size=12), ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))


@given(ANY_TEXT)
@settings(max_examples=CASES, deadline=None, database=None)
def fuzz_safe_text(text: str) -> None:
    check_safe(text)


@given(BYTES)
@settings(max_examples=CASES, deadline=None, database=None)
def fuzz_display_token(data: bytes) -> None:
    check_token(data)


if __name__ == "__main__":
    fuzz_safe_text()
    print(f"safe_text: {CASES} cases hold")
    fuzz_display_token()
    print(f"display_token: {CASES} cases hold")
