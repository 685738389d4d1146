"""`gpttui eval-task`: a bundled model's score, measured again on freshly drawn held-out data."""

from typing import TYPE_CHECKING

import click

from gpttui.cli.options import dtype_option, json_option, verb
from gpttui.cli.output import print_json, table

if TYPE_CHECKING:
    from gpttui.inference.precision import Precision


@verb()
@click.argument("task_id", metavar="ID", required=False)
@click.option("--model", metavar="MODEL", help="Examine this model instead of the bundled one of that name.")
@click.option(
    "--n", type=click.IntRange(min=1), help="Documents or problems. Default: as many as the card's score took."
)
@click.option("--seed", type=click.IntRange(min=0), help="Of the held-out data; 1000000 (the card's) or more.")
@click.option("--write", is_flag=True, help="Put the measured scores on the model's card.")
@click.option("--over", "run", metavar="RUN", help="Also over the checkpoints of this run.")
@dtype_option
@json_option
def command(
    task_id: str | None,
    model: str | None,
    n: int | None,
    seed: int | None,
    write: bool,
    run: str | None,
    dtype: "Precision",
    as_json: bool,
) -> None:
    """Measure the score that model ID's card claims; without ID, say which tasks there are."""
    from gpttui.evaluation import lengths
    from gpttui.evaluation.tasks import HELD_OUT_SEED, TASKS, evaluate
    from gpttui.runs import rundir
    from gpttui.storage import gallery, model_card

    if task_id is None:
        click.echo("\n".join(table([["id", "default n"], *([name, str(task.n)] for name, task in TASKS.items())])))
        return
    path, saved = gallery.find(model or task_id), [] if run is None else rundir.checkpoints(rundir.need(run))
    task, seed = TASKS.get(task_id), HELD_OUT_SEED if seed is None else seed
    result = evaluate(task_id, path, n=n, seed=seed, precision=dtype)
    assert task is not None, "evaluate knows no task that is not there"
    metric = task.traced or task.headline
    course = {step: evaluate(task_id, place, n=n, seed=seed, precision=dtype).metrics[metric] for step, place in saved}
    if write:
        score = task.says.format(n=result.n, **result.metrics)
        told = model_card.read(path) | {"score": score, "vectors": lengths.in_words(result.metrics)}
        card = model_card.with_measures(told, result.metrics, result.n, result.seed, task.headline)
        if course:
            card = model_card.with_course(card, metric, list(course), list(course.values()))
        model_card.write(path, card)
    if as_json:
        print_json(result)
        return
    rows = [[name, f"{value:.4g}"] for name, value in result.metrics.items()]
    rows += [[f"{metric}, step {step}", f"{value:.4g}"] for step, value in course.items()]
    click.echo("\n".join([f"{result.id}: n {result.n}, seed {result.seed}", *table(rows, right=frozenset({1}))]))
