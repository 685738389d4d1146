"""`gpttui eval-task`: a bundled model's score, measured again on freshly drawn held-out data."""

import click

from gpttui.cli.options import json_option
from gpttui.cli.output import print_json, table


@click.command()
@click.argument("task_id", metavar="ID", required=False)
@click.option("--model", metavar="ID|PATH", help="Examine this model instead of the bundled one of that name.")
@click.option(
    "--n", type=click.IntRange(min=1), help="Documents or problems. Default: as many as the card's score took."
)
@click.option("--seed", type=click.IntRange(min=0), help="Of the held-out data; 1000000 (the card's) or more.")
@click.option("--write", is_flag=True, help="Put the measured scores on the model's card.")
@json_option
def command(
    task_id: str | None, model: str | None, n: int | None, seed: int | None, write: bool, as_json: bool
) -> None:
    """Measure the score that model ID's card claims; without ID, say which tasks there are."""
    from gpttui import gallery, model_card
    from gpttui.evaluation.tasks import HELD_OUT_SEED, TASKS, evaluate

    if task_id is None:
        click.echo("\n".join(table([["id", "default n"], *([name, str(task.n)] for name, task in TASKS.items())])))
        return
    path = gallery.find(model or task_id)
    result = evaluate(task_id, path, n=n, seed=HELD_OUT_SEED if seed is None else seed)
    if write:
        card = model_card.read(path)
        headline = TASKS[task_id].headline
        model_card.write(path, model_card.with_measures(card, result.metrics, result.n, result.seed, headline))
    if as_json:
        print_json(result)
        return
    rows = [[name, f"{value:.4g}"] for name, value in result.metrics.items()]
    click.echo("\n".join([f"{result.id}: n {result.n}, seed {result.seed}", *table(rows, right=frozenset({1}))]))
