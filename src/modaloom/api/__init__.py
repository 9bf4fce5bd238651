"""Everything modaloom does, as functions. The command line and the server call these and nothing else."""

from modaloom.api.codes import detokenize, tokenize
from modaloom.api.demo import demo, world
from modaloom.api.judge import evaluate
from modaloom.api.trained import TrainedRun, generate, load
from modaloom.api.training import Watch, train
from modaloom.data.inspect import inspect
from modaloom.report.page import write_report as report

__all__ = [
    "TrainedRun",
    "Watch",
    "demo",
    "detokenize",
    "evaluate",
    "generate",
    "inspect",
    "load",
    "report",
    "tokenize",
    "train",
    "world",
]
