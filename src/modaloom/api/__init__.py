"""The public API. The command line is a thin layer over these functions."""

from modaloom.api.benchmarking import bench
from modaloom.api.callbacks import TrainCallbacks
from modaloom.api.chatting import chat
from modaloom.api.choices import CHOICES
from modaloom.api.cutting import Cut, cut
from modaloom.api.demonstration import demo, world
from modaloom.api.explaining import explain
from modaloom.api.exporting import export
from modaloom.api.generation import generate
from modaloom.api.look import inspect, report
from modaloom.api.runs import evaluate, examples, from_pretrained, load, mutual_information
from modaloom.api.sharding import shard
from modaloom.api.training import train
from modaloom.api.weighing import probabilities
from modaloom.core.errors import BadFile, BadFolder, BadRun, BadValue, ModaloomError, PartlyFailed, WorkFailed
from modaloom.core.frame import Frame
from modaloom.core.results import Results
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.evaluation.scores import diagnosis, warnings
from modaloom.loom.audit import audit
from modaloom.loom.chat import Chat, Reply
from modaloom.loom.codes import detokenize, tokenize
from modaloom.loom.config import CodeSamplingConfig, CodeSamplingOptions
from modaloom.loom.explanation import Attribution, Explanation
from modaloom.loom.generated import Generated
from modaloom.loom.given_lines import Lines
from modaloom.loom.probabilities import Distribution
from modaloom.loom.run import TrainedRun
from modaloom.restorer.config import SignalSamplingOptions
from modaloom.restorer.file_restoration import restore
from modaloom.restorer.restoration import RestoredRun, RestoreOptions

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
