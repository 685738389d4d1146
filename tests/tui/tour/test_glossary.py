"""The glossary over the help of any pane: a search, and the open model's numbers as examples."""

import pytest

from tests.tui.pilot import playground


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_opens_from_help_and_finds_by_letters(size: tuple[int, int]) -> None:
    async with playground(size) as page:
        await page.press("question_mark")
        await page.until(lambda: "g: glossary" in page.text)
        await page.press("g")
        await page.until(lambda: "ablation:" in page.text)
        await page.press(*"entropy")
        await page.until(lambda: "entropy: How uncertain" in page.text and "ablation:" not in page.text)
        said = " ".join(page.text.replace("│", " ").split())
        assert "equally probable tokens." in said and "…" not in said.split("entropy:")[1].split("╰")[0]
        await page.press("escape", "escape")
        await page.until(lambda: page.app.screen is page.play)
