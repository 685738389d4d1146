"""`gpttui models`: what can be opened by name, from the files' headers alone."""

import click

from gpttui.cli.options import json_option, verb
from gpttui.cli.output import note, print_json, shown, size, table


@verb()
@json_option
def command(as_json: bool) -> None:
    """List the models that are here: bundled ones, your own, and what Ollama, LM Studio and the hub's cache hold."""
    from gpttui import locations
    from gpttui.storage import gallery, stores

    (models, broken), (held, others) = gallery.cards(), stores.held()
    for line in (*broken, *others):
        note(line)
    if as_json:
        print_json([gallery.as_listed(model) for model in models] + [gallery.as_listed(model) for model in held])
        return
    if not models and not held:
        note(f"no models here; put model directories under {locations.user_models_dir()} or open one with --model PATH")
        return
    rows = [["id", "what it does", "parameters", "shape", "context", "tokenizer", "measured"]]
    for model in models:
        metric = "" if model.metric_value is None else f"{model.metric_name} {model.metric_value:.4g}"
        shape = f"{model.n_layer}L {model.n_head}H {model.d_model}"
        what = model.title if model.title not in ("", model.id) else model.summary or model.data
        rows.append([model.id, shown(what), size(model.params), shape, str(model.context), model.tokenizer, metric])
    if models:
        click.echo("\n".join(table(rows, right=frozenset({2, 4}))))
    rows = [["of other programs", "on disk", "shape", "context", "family"]]
    for found in held:
        shape = f"{found.n_layer}L {found.n_head}H {found.d_model}"
        rows.append([shown(found.id), size(found.size_bytes, "B"), shape, str(found.context), found.arch])
    if held:
        click.echo("\n" * bool(models) + "\n".join(table(rows, right=frozenset({1, 3}))))
