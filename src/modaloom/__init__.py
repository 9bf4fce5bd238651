"""modaloom: paired files in, any stream from any other out.

import modaloom
run = modaloom.train("pairs/", out="runs/mine", minutes=15)
out = run.generate(given={"text": "three"}, want="image", n=4, seed=0)
"""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

# Threads that wait for each other soon sleep: beside other programs, spinning takes the time that the thread
# waited for needs. GNU's OpenMP may spin shortly, since waking takes longer than most waits; the count is the
# one of benchmarks in docs/lab-notes.md. OpenMP reads this once, when torch loads.
if "torch" not in sys.modules and "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

# oneDNN and torch's layer above it keep 1,024 kernels each. Lengths that differ by batch fill both, with
# gigabytes in an hour (docs/lab-notes.md); no network here has as many as this of fixed shapes.
for cache in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
    os.environ.setdefault(cache, "256")

__version__ = "0.2.0"

if TYPE_CHECKING:
    from modaloom.api import *  # noqa: F403

__all__ = [
    "CHOICES",
    "Attribution",
    "BadFile",
    "BadFolder",
    "BadRun",
    "BadValue",
    "Chat",
    "CodeSamplingConfig",
    "CodeSamplingOptions",
    "Cut",
    "Distribution",
    "Explanation",
    "Frame",
    "Generated",
    "Lines",
    "ModaloomError",
    "MutualInformation",
    "PartlyFailed",
    "Reply",
    "RestoreOptions",
    "RestoredRun",
    "Results",
    "ScoreRow",
    "SignalSamplingOptions",
    "TrainCallbacks",
    "TrainedRun",
    "WorkFailed",
    "__version__",
    "audit",
    "bench",
    "chat",
    "cut",
    "demo",
    "detokenize",
    "diagnosis",
    "evaluate",
    "examples",
    "explain",
    "export",
    "from_pretrained",
    "generate",
    "inspect",
    "load",
    "mutual_information",
    "probabilities",
    "report",
    "restore",
    "shard",
    "tokenize",
    "train",
    "warnings",
    "world",
]

if not TYPE_CHECKING:

    class _Package(ModuleType):
        """Its verbs `report`, `bench` and `world` keep their names beside the packages that are called so."""

        def __setattr__(self, name, value):
            """An imported package does not hide the verb."""
            if not (name in __all__ and isinstance(value, ModuleType)):
                super().__setattr__(name, value)

    sys.modules[__name__].__class__ = _Package

    def __getattr__(name):
        """A name of `modaloom.api`, imported when it is first used: `import modaloom` stays fast."""
        if name in __all__:
            return getattr(import_module("modaloom.api"), name)
        raise AttributeError(f"module 'modaloom' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
