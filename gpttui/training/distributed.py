"""One process or many: who we are under `torchrun`, and the few words that ranks exchange outside of DDP.

Gloo on CPUs, NCCL on CUDA. Without torchrun's environment everything here is a no-op.
"""

import os
import sys
from dataclasses import dataclass

import torch
import torch.distributed as dist

from gpttui.errors import UserError


@dataclass(frozen=True, slots=True)
class World:
    """Our place among `size` processes."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Rank 0: the one that writes and prints."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """Each value summed over all ranks (exact for counts, float64 in flight)."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return [float(value) for value in tensor.tolist()]

    def wait(self) -> None:
        """Until every rank has come here."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """All together where nothing went wrong: gloo aborts a process whose peer hangs up first.

        The group is left standing then, for `end_process`: to take it down races with its threads.
        """
        if self.size > 1 and dist.is_initialized():
            if sys.exc_info()[0] is None:
                dist.barrier()
            else:
                dist.destroy_process_group()

    def end_process(self, code: int) -> None:
        """One of several processes ends here, all written: gloo's threads abort one that tidies up behind itself."""
        if self.size > 1:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def join(device: str = "auto") -> World:
    """Join torchrun's group if there is one; choose the device."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = choose_device(device, local)
    if size == 1:
        return World(chosen)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return World(chosen, dist.get_rank(), dist.get_world_size())


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto`: cuda, mps, cpu, the first that is there. Raises UserError for a device that is not."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", local_rank % torch.cuda.device_count())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"this machine offers no device {name!r} to torch; use auto or cpu") from error
    return device


def in_bf16(precision: str, device: torch.device) -> bool:
    """Whether matrix products are to be in bfloat16: asked for, and multiplied by the hardware, not emulated."""
    if device.type == "cpu":
        native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return precision == "bf16" and bool(native())
    return precision == "bf16" or (precision == "auto" and device.type == "cuda")
