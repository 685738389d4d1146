"""`gpttui generate --chat`: what is read is what transformers would read, and the answer ends where the turn does."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from gpttui.chat.templates import FILE
from tests.chat.templates import GEMMA, model_dir
from tests.cli.conftest import Cli


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_dir(tmp_path_factory.mktemp("chat"))


def test_the_answer_comes_behind_what_transformers_reads(cli: Cli, talker: Path) -> None:
    chat = [{"role": "system", "content": "Be."}, {"role": "user", "content": "the cat?"}]
    theirs = AutoTokenizer.from_pretrained(talker).apply_chat_template(
        chat, add_generation_prompt=True, return_dict=False
    )
    said = "generate", "--model", talker, "--chat", "--system", "Be.", "--prompt", "the cat?", "-n", 3
    said = *said, *(word for end in ("<|im_end|>", "</s>") for word in ("--logit-bias", f"{end}=-100"))
    lines = [json.loads(line) for line in cli(*map(str, said), "--json").out.splitlines()]
    assert [line["position"] for line in lines] == [len(theirs) + n for n in (1, 2, 3)]
    assert cli(*map(str, said)).out == "".join(line["text"] for line in lines) + "\n"


def test_the_answer_ends_with_the_turn(cli: Cli, talker: Path) -> None:
    force = "--temperature", "0", "--logit-bias", "<|im_end|>=100"
    result = cli("generate", "--model", talker, "--chat", "--prompt", "hi", "-n", "50", *force)
    assert result.code == 0 and result.out.count("<|im_end|>") <= 1
    assert "<|im_end|>" in result.err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--chat",), "--chat wants something to answer"),
        (("--system", "x"), "--system goes with --chat"),
    ],
)
def test_what_goes_together(args: tuple[str, ...], says: str, cli: Cli, talker: Path) -> None:
    result = cli("generate", "--model", talker, *args)
    assert result.code == 2 and says in result.err


def test_no_template_and_a_template_that_refuses_are_one_line(cli: Cli, bpe_model: Path, tmp_path: Path) -> None:
    result = cli("generate", "--model", bpe_model, "--chat", "--prompt", "x")
    assert result.code == 1 and "has no chat template" in result.err and result.err.count("\n") == 1
    (model_dir(tmp_path / "g") / FILE).write_text(GEMMA, encoding="utf-8")
    result = cli("generate", "--model", tmp_path / "g", "--chat", "--system", "a", "--prompt", "x")
    assert result.err == "gpttui: the chat template refuses: System role not supported\n"


def test_one_of_several_templates_is_chosen_by_its_name(cli: Cli, tmp_path: Path) -> None:
    path = model_dir(tmp_path)
    (path / "additional_chat_templates").mkdir()
    (path / "additional_chat_templates" / "bare.jinja").write_text("{{ messages[0].content }}", encoding="utf-8")
    said = "generate", "--model", str(path), "--chat", "--prompt", "the cat?", "-n", "1", "--json"
    first, bare = (json.loads(cli(*said, *more).out) for more in ((), ("--template", "bare")))
    alone = AutoTokenizer.from_pretrained(path)("the cat?", add_special_tokens=False).input_ids
    assert bare["position"] == len(alone) + 1 < first["position"]
    wrong = cli(*said, "--template", "none")
    assert wrong.code == 1 and "no chat template 'none'; its templates: bare, default" in wrong.err
