"""`gpttui models`: what can be opened by name, from the files' headers alone."""

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, shown, size, table


@verb()
@json_option
def command(as_json: bool) -> None:
    """List the models that are here: bundled ones and your own."""
    from gpttui import locations
    from gpttui.storage import gallery

    models, broken = gallery.cards()
    for line in broken:
        note(line)
    if as_json:
        print_json([gallery.as_listed(model) for model in models])
        return
    if not models:
        note(f"no models here; put model directories under {locations.user_models_dir()} or open one with --model PATH")
        return
    rows = [["id", "parameters", "shape", "context", "tokenizer", "measured", "what it does"]]
    for model in models:
        metric = "" if model.metric_value is None else f"{model.metric_name} {model.metric_value:.4g}"
        shape = f"{model.n_layer}L {model.n_head}H {model.d_model}"
        what = model.summary or model.data
        rows.append([model.id, size(model.params), shape, str(model.context), model.tokenizer, metric, shown(what)])
    click.echo("\n".join(table(rows, right=frozenset({1, 3}))))
