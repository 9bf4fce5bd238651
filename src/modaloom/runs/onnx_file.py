"""Graphs as ONNX files, by torch's exporter."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch

from modaloom.core.errors import BadRun, BadValue
from modaloom.core.graph import Graph

NEEDED = ("onnx", "onnxscript")


def check_onnx() -> None:
    """Raise `BadValue` unless the packages that write ONNX are installed."""
    if lacking := [name for name in NEEDED if find_spec(name) is None]:
        raise BadValue(f"ONNX is written by {' and '.join(lacking)}: pip install 'modaloom[onnx]'")


def write_onnx(path: Path, graph: Graph) -> None:
    """Write a graph. Raises `BadRun`, naming it, if it cannot be exported."""
    samples = [0] if graph.batched else []
    free = [[*samples, *([graph.lengths[name]] if name in graph.lengths else [])] for name in graph.inputs]
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                graph.function,
                (*graph.inputs.values(),),
                input_names=[*graph.inputs],
                output_names=[*graph.outputs],
                dynamic_shapes=(tuple(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in free),),
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise BadRun(f"{path.stem} cannot be exported as ONNX ({_reason(error)})") from error
    assert program is not None
    program.save(str(path))


def _reason(error: BaseException) -> str:
    """The first line of what the exporter failed for."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on its own progress and on packages that are not needed."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
