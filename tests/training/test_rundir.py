"""The run directory without any training: torn lines, thinning, tails."""

from pathlib import Path

import pytest

from gpttui.runs import rundir
from gpttui.runs.config import TrainConfig
from gpttui.runs.events import EvalDone, StepDone, decode_event, encode_event


def step(n: int) -> StepDone:
    return StepDone(
        step=n, loss_nats=1.0 / n, lr=1e-3, grad_norm=1.0, layer_grad_norms=[0.5, 0.5], tokens_per_s=1.0, elapsed_s=n
    )


def test_a_torn_line_is_skipped_by_readers_and_cut_by_the_next_writer(tmp_path: Path) -> None:
    writer = rundir.EventWriter(tmp_path)
    for n in (1, 2, 3):
        writer.write(step(n))
    writer.close()
    file = tmp_path / rundir.EVENTS
    whole = file.read_bytes()
    for cut in range(1, len(encode_event(step(3))) + 1):
        file.write_bytes(whole[:-cut])
        assert [event.step for event in rundir.read_events(tmp_path)] == [1, 2]
    writer = rundir.EventWriter(tmp_path)
    writer.write(step(3))
    writer.close()
    assert file.read_bytes() == whole


def test_a_tail_sees_each_event_once_however_it_arrives(tmp_path: Path) -> None:
    data = b"".join(encode_event(step(n)) + b"\n" for n in range(1, 30))
    file, tail, seen = tmp_path / rundir.EVENTS, rundir.EventTail(tmp_path), []
    assert tail.read() == []
    for end in range(0, len(data) + 97, 97):
        file.write_bytes(data[:end])
        seen += [event.step for event in tail.read()]
    assert seen == list(range(1, 30))


def test_a_tail_sees_the_restart_of_a_run_that_died_in_the_middle_of_a_line(tmp_path: Path) -> None:
    lines = [encode_event(step(n)) + b"\n" for n in (1, 2, 3)]
    file = tmp_path / rundir.EVENTS
    for torn in range(1, len(lines[2])):
        file.write_bytes(b"".join(lines)[: len(lines[0]) + len(lines[1]) + torn])
        tail = rundir.EventTail(tmp_path)
        assert [event.step for event in tail.read()] == [1, 2]
        writer = rundir.EventWriter(tmp_path)
        writer.write(step(7))
        writer.write(step(8))
        writer.close()
        assert [event.step for event in tail.read()] == [7, 8]
        file.unlink()


def test_a_tail_begins_anew_where_another_run_takes_the_place_of_the_one_it_read(tmp_path: Path) -> None:
    def write(*steps: int) -> None:
        (tmp_path / "new").write_bytes(b"".join(encode_event(step(n)) + b"\n" for n in steps))
        (tmp_path / "new").replace(tmp_path / rundir.EVENTS)

    tail = rundir.EventTail(tmp_path)
    for steps in ((1, 2, 3, 4), (5, 6), (7, 8, 9, 10, 11, 12)):
        write(*steps)
        assert [event.step for event in tail.read()] == list(steps)


def test_a_tail_reads_any_lines_in_pieces_of_any_size_and_passes_over_what_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rundir, "LONGEST_LINE", 400)
    junk = b"x" * 2000
    data = b"".join(encode_event(step(n)) + b"\n" + (junk + b"\n" if n == 5 else b"") for n in range(1, 12))
    (tmp_path / rundir.EVENTS).write_bytes(data)
    for limit in (1, 50, 1000, 1 << 20):
        tail, seen = rundir.EventTail(tmp_path), list[int]()
        for _ in range(50):
            seen += [event.step for event in tail.read(limit)]
        assert seen == list(range(1, 12))


def test_events_of_a_newer_kind_are_passed_over() -> None:
    assert decode_event(b'{"event":"Telepathy","step":3}') is None
    found = decode_event(b'{"event":"EvalDone","step":3,"val_loss_nats":1.5,"tokens":9,"elapsed_s":1,"new_field":0}')
    assert isinstance(found, EvalDone) and found.val_loss_nats == 1.5


def test_thinning_keeps_the_newest_whole_and_spreads_the_rest(tmp_path: Path) -> None:
    for n in range(0, 2001, 50):
        folder = tmp_path / rundir.CHECKPOINTS / f"{n:08d}"
        folder.mkdir(parents=True)
        for name in (rundir.CONFIG, rundir.STATE, "optimiser.safetensors"):
            (folder / name).touch()
        rundir.thin_checkpoints(tmp_path, keep=2, history=8, optimiser_files=("optimiser.safetensors",))
    steps = [n for n, _ in rundir.checkpoints(tmp_path)]
    assert len(steps) == 10 and steps[0] == 0 and steps[-2:] == [1950, 2000]
    assert sum(n <= 500 for n in steps) >= 4  # early ones are where heads form
    whole = [n for n, folder in rundir.checkpoints(tmp_path) if (folder / rundir.STATE).exists()]
    assert whole == [1950, 2000]
    assert rundir.latest_checkpoint(tmp_path) == tmp_path / rundir.CHECKPOINTS / "00002000"


def test_a_half_written_checkpoint_is_never_seen_and_swept(tmp_path: Path) -> None:
    (tmp_path / rundir.CHECKPOINTS / ".00000050.123").mkdir(parents=True)
    (tmp_path / rundir.LATEST).write_text("00000050")
    assert rundir.checkpoints(tmp_path) == [] and rundir.latest_checkpoint(tmp_path) is None
    rundir.sweep_leftovers(tmp_path)
    assert not list((tmp_path / rundir.CHECKPOINTS).iterdir())


def test_a_config_survives_its_file() -> None:
    config = TrainConfig(data="x", layers=7, heads=2, width=64, kv_heads=1, arch="modern", sample_prompt='"é\n')
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"data": 3}', b'{"data": "x", "heads": 3}'])
def test_a_config_that_is_none_is_named(content: bytes) -> None:
    from gpttui.errors import UserError

    with pytest.raises(UserError, match=r"config\.json cannot be read"):
        TrainConfig.from_json(content)
