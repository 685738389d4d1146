"""`python -m tests.benchmarks.goals startup|keys|views|training`: the goals of the screen, measured.

The model alone and the trainer alone are measured by `gpttui bench`.
"""

import click

from gpttui.bench.report import Row
from gpttui.cli.bench import report, tell
from gpttui.storage import gallery
from tests.benchmarks.goals import curves, inside, screens, startup


@click.command()
@click.argument("what", type=click.Choice(["startup", "keys", "views", "training"]))
@click.option("--model", metavar="ID|PATH", help="Default: the playground's.")
@click.option("--data", metavar="FILE", help="training: the text to train on.")
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(what: str, model: str | None, data: str | None, rounds: int, as_json: bool) -> None:
    """Measure, and say which goals are reached."""
    report(what, rows(what, str(gallery.find(model)), data, rounds), as_json)


def rows(what: str, model: str, data: str | None, rounds: int) -> list[Row]:
    match what:
        case "startup":
            return startup.measure_startup(model, rounds=rounds)
        case "keys":
            return startup.measure_keys(model, keys=12 * rounds)
        case "views":
            return inside.measure(model, rounds=rounds, tell=tell)
    tell("a curve of a million steps")
    return curves.curve_rows() + (screens.training_rows(data, tell=tell) if data is not None else [])


if __name__ == "__main__":
    main()
