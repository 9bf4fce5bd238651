"""Export of a finished run for inference."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modaloom import __version__
from modaloom.core.defaults import FORMAT
from modaloom.core.errors import check_choice
from modaloom.data.atomic_io import new_folder, write_file, write_json
from modaloom.engine import Engine
from modaloom.engines import engine_of_run
from modaloom.runs.model import CARD, Part, load_model, save_model
from modaloom.runs.onnx_file import check_onnx, write_onnx
from modaloom.runs.portable import portable_card, portable_files
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFiles, RunFolder


def export(run: str | os.PathLike[str], *, out: str | os.PathLike[str], format: str = FORMAT) -> Path:
    """Writes a run for inference: a smaller run, or a model for other runtimes.

    Args:
        run: a finished run, or the name of a bundled one.
        out: folder to be written.
        format: modaloom: model, configuration, streams and scores, with weights in float16, except tensors
            with values outside its range, and without local paths; onnx: the networks as ONNX graphs
            (`encode.TOKENIZER`, `decode.TOKENIZER`, `denoise`), `model.json`, and `sample.py`, which draws
            from them with onnxruntime and numpy alone.

    Raises:
        BadRun: no finished run, or one with a network that cannot be exported.
        BadValue: another format, a run that it does not have, or packages that are not installed.
        BadFolder: `out` is not empty.
        WorkFailed: it cannot be written.
    """
    write = FORMATS[check_choice("format", format, FORMATS)]
    path = resolve_run(Path(run))
    engine = engine_of_run(path)
    with new_folder(out) as root:
        write(path, engine, root)
    return Path(out)


def _write_half(path: Path, engine: Engine[Any, Any], root: Path) -> None:
    folder = RunFolder.open(path, engine.config)
    parts = load_model(folder.model).parts
    save_model(root / "model", {name: _halved(part) for name, part in parts.items()}, portable_card(folder))
    for name, data in portable_files(folder, folder.run()).items():
        write_file(root / name, data)


def _write_onnx(path: Path, engine: Engine[Any, Any], root: Path) -> None:
    check_onnx()
    run = engine.load(path, device="cpu")
    found = engine.exportable(run)
    for name, graph in found.graphs.items():
        write_onnx(root / f"{name}.onnx", graph)
    write_json(root / "model.json", {"modaloom": __version__, "hash": run.hash, **found.facts})
    for file in found.program.glob("*.py"):
        write_file(root / file.name, file.read_bytes())
    write_file(root / CARD, portable_card(RunFiles(path)).encode())


FORMATS: Mapping[str, Callable[[Path, Engine[Any, Any], Path], None]] = {
    "modaloom": _write_half,
    "onnx": _write_onnx,
}
"""Format → what writes it."""


def _halved(part: Part) -> Part:
    return replace(part, tensors=_half(part.tensors))


def _half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    most = torch.finfo(torch.float16).max
    fits = {
        name: tensor.dtype == torch.float32 and bool((tensor.abs() <= most).all())
        for name, tensor in tensors.items()
    }
    return {name: tensor.half() if fits[name] else tensor for name, tensor in tensors.items()}
