"""Export of a finished run for inference."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from modaloom.data.atomic_io import new_folder, write_file
from modaloom.engines import engine_of_run
from modaloom.runs.model import Part, load_model, save_model
from modaloom.runs.portable import portable_card, portable_files
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder


def export(run: str | os.PathLike[str], *, out: str | os.PathLike[str]) -> Path:
    """Writes the files that inference needs: model, configuration, streams and scores.

    Weights are converted to float16, except tensors with values outside its range. Local paths are removed.

    Raises `BadRun` without a finished run, `BadFolder` if `out` is not empty, and `WorkFailed`.
    """
    path = resolve_run(Path(run))
    folder = RunFolder.open(path, engine_of_run(path).config)
    parts = load_model(folder.model).parts
    content, card = portable_files(folder, folder.run()), portable_card(folder)
    with new_folder(out) as root:
        save_model(root / "model", {name: _halved(part) for name, part in parts.items()}, card)
        for name, data in content.items():
            write_file(root / name, data)
    return Path(out)


def _halved(part: Part) -> Part:
    return replace(part, tensors=_half(part.tensors))


def _half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    most = torch.finfo(torch.float16).max
    fits = {
        name: tensor.dtype == torch.float32 and bool((tensor.abs() <= most).all())
        for name, tensor in tensors.items()
    }
    return {name: tensor.half() if fits[name] else tensor for name, tensor in tensors.items()}
