"""GPT-2 small with its whole context recorded: memory over the model's own, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from pathlib import Path
import torch
from gpttui.inference.recorder import give_memory_back
from gpttui.inference.session import Session
from gpttui.model.checkpoint import build
from gpttui.model.gpt import GPT, GPTConfig
from gpttui.protocol.message import Look
from gpttui.tokenizers import train_bpe

def resident_mb():
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024

torch.set_num_threads(1)
config = GPTConfig(50_257, 1024, 12, 12, 768)
model = build(config, dict(GPT(config).state_dict()), Path("random"))
give_memory_back()
before = resident_mb()
session = Session(model, train_bpe([], 256), prompt="x" * 1014)
for _ in range(10):
    session.step()
session.snapshot(Look(layer=3, head=2))
assert len(session) == session.window.length == 1024
print(resident_mb() - before)
"""


def test_gpt2_small_at_1024_tokens() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    print(f"{float(done.stdout):.0f} MB over the model")
    assert float(done.stdout) < 400
