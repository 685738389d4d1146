"""`gpttui trace`: every activation of one pass, for other programs."""

from pathlib import Path
from typing import Literal

import click

from gpttui.cli.options import GIVEN_TEXT, ablate_option, bos_option, dtype_option, model_option, verb
from gpttui.cli.output import loading, note, size


@verb()
@model_option
@dtype_option
@click.option("--prompt", type=GIVEN_TEXT, required=True, metavar="TEXT", help="The text of the pass.")
@bos_option
@ablate_option
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="F.npz")
def command(
    model: str | None,
    dtype: Literal["auto", "fp32", "bf16"],
    prompt: str,
    bare: bool,
    ablate: tuple[str, ...],
    out: Path,
) -> None:
    """Write every activation of one pass over a prompt to an .npz file.

    Arrays carry TransformerLens' names without "hook_": tokens [T], embed [T, d], blocks.0.attn.pattern [head, T, T] …
    logits [T, V]. Scores are scaled q.k, masked entries -inf. ln1, ln2 and ln_final come twice: "normalized" is after
    the norm's weight and bias, as the next part reads it; "standardized" is before them. TransformerLens'
    hook_normalized is the one or the other, by its version and the kind of norm.
    """
    from gpttui.cli.given import note_unknown
    from gpttui.inference import trace
    from gpttui.inference.interventions import compile_changes
    from gpttui.inference.opening import open_model
    from gpttui.interventions import parse
    from gpttui.storage import gallery

    gpt, tokenizer = open_model(gallery.find(model), precision=dtype, tell=note, progress=loading())
    tokenizer = tokenizer.bare(bare)
    ids = tokenizer.prompt(prompt)
    note_unknown(tokenizer, prompt)
    changes = compile_changes(gpt, tokenizer, [parse(target) for target in ablate], ids)
    sites = (*trace.all_sites(gpt.config), *trace.norm_sites(gpt))
    recorded = trace.record(gpt, ids, sites, tap=changes if ablate else None)
    recorded.save(out)
    note(f"{len(ids)} tokens, {len(recorded.sites)} sites, {size(out.stat().st_size, 'B')} in {out}")
