"""Everything modaloom does, as functions. The command line and the server call these and nothing else."""

from modaloom.api.bench import bench
from modaloom.api.demo import demo, world
from modaloom.api.export import export
from modaloom.api.generation import generate
from modaloom.api.look import inspect, report
from modaloom.api.runs import evaluate, examples, load, mutual_information
from modaloom.api.training import TrainCallbacks, train
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.scores import diagnosis, warnings
from modaloom.loom.audit import audit
from modaloom.loom.codes import detokenize, tokenize
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.generation import TrainedRun
from modaloom.restorer.restoration import RestoredRun, RestoreOptions, restore

__all__ = [
    "CodeSamplingConfig",
    "MutualInformation",
    "RestoreOptions",
    "RestoredRun",
    "TrainCallbacks",
    "TrainedRun",
    "audit",
    "bench",
    "demo",
    "detokenize",
    "diagnosis",
    "evaluate",
    "examples",
    "export",
    "generate",
    "inspect",
    "load",
    "mutual_information",
    "report",
    "restore",
    "tokenize",
    "train",
    "warnings",
    "world",
]
