"""modaloom: paired files in, any stream from any other out.

import modaloom
run = modaloom.train("pairs/", out="runs/mine", minutes=15)
out = run.generate(given={"text": "three"}, want=["image"], n=4, seed=0)
"""

import os
import sys
from importlib import import_module
from typing import Any

# Threads that wait for each other sleep instead of spinning: beside other programs, spinning takes the time
# that the thread waited for needs. OpenMP reads this once, when torch loads.
if "torch" not in sys.modules:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    """The verbs of `modaloom.api`, imported when they are first used: `import modaloom` stays fast."""
    api = import_module("modaloom.api")
    if name in api.__all__:
        return getattr(api, name)
    raise AttributeError(f"module 'modaloom' has no attribute {name!r}")
