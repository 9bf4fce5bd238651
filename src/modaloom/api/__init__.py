"""Everything modaloom does, as functions. The command line and the server call these and nothing else."""

from modaloom.api.bench import bench
from modaloom.api.codes import detokenize, tokenize
from modaloom.api.demo import demo, world
from modaloom.api.look import inspect, report
from modaloom.api.products import evaluate, examples, load
from modaloom.api.restored import Asking, RestoredRun, restore
from modaloom.api.trained import TrainedRun, generate
from modaloom.api.training import Watch, train
from modaloom.models.loom import Sampling

__all__ = [
    "Asking",
    "RestoredRun",
    "Sampling",
    "TrainedRun",
    "Watch",
    "bench",
    "demo",
    "detokenize",
    "evaluate",
    "examples",
    "generate",
    "inspect",
    "load",
    "report",
    "restore",
    "tokenize",
    "train",
    "world",
]
