"""Everything modaloom does, as functions. The command line and the server call these and nothing else."""

from modaloom.api.audit import audit
from modaloom.api.bench import bench
from modaloom.api.codes import detokenize, tokenize
from modaloom.api.demo import demo, world
from modaloom.api.export import export
from modaloom.api.look import inspect, report
from modaloom.api.products import evaluate, examples, information, load
from modaloom.api.restored import Asking, RestoredRun, restore
from modaloom.api.scores import diagnosis, warnings
from modaloom.api.trained import TrainedRun, generate
from modaloom.api.training import Watch, train
from modaloom.evaluation.information import Told
from modaloom.models.loom import Sampling

__all__ = [
    "Asking",
    "RestoredRun",
    "Sampling",
    "Told",
    "TrainedRun",
    "Watch",
    "audit",
    "bench",
    "demo",
    "detokenize",
    "diagnosis",
    "evaluate",
    "examples",
    "export",
    "generate",
    "information",
    "inspect",
    "load",
    "report",
    "restore",
    "tokenize",
    "train",
    "warnings",
    "world",
]
