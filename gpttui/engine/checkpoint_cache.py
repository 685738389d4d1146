"""Checkpoints of runs in memory, the ones used last, so that scrubbing back and forth costs no disk."""

from collections import OrderedDict
from pathlib import Path

from gpttui.errors import UserError
from gpttui.model import checkpoint
from gpttui.model.gpt import GPT

KEPT_BYTES = 256 << 20


class CheckpointCache:
    """Checkpoints in memory, the ones used last."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self.most_bytes = most_bytes
        self._models: OrderedDict[tuple[Path, float], GPT] = OrderedDict()

    def get(self, folder: Path, device: str) -> GPT:
        """The model in `folder`, from memory where it is there unchanged. Only model.safetensors is read."""
        try:
            key = (folder, (folder / checkpoint.WEIGHTS).stat().st_mtime)
        except OSError as error:
            raise UserError(f"the checkpoint {folder.name} is gone; the run keeps fewer than it saves") from error
        if key not in self._models:
            self._models[key] = checkpoint.load(folder, device=device)
        self._models.move_to_end(key)
        while len(self._models) > 1 and sum(map(_size_bytes, self._models.values())) > self.most_bytes:
            self._models.popitem(last=False)
        return self._models[key]


def _size_bytes(model: GPT) -> int:
    return sum(p.numel() * p.element_size() for p in model.parameters())
