"""Everything modaloom does, as functions. The command line and the server call these and nothing else."""

from modaloom.api.audit import audit
from modaloom.api.bench import bench
from modaloom.api.codes import detokenize, tokenize
from modaloom.api.demo import demo, world
from modaloom.api.examples import examples
from modaloom.api.export import export
from modaloom.api.information import information
from modaloom.api.judge import evaluate
from modaloom.api.look import inspect, report
from modaloom.api.scores import diagnosis
from modaloom.api.trained import TrainedRun, generate, load
from modaloom.api.training import Watch, train
from modaloom.evaluation.information import Told
from modaloom.models.loom import Sampling

__all__ = [
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
    "tokenize",
    "train",
    "world",
]
