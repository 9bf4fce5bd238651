"""A run as small as it can be used."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from modaloom.core.errors import BadFolder
from modaloom.report.facts import SCORES
from modaloom.runs.durable import write_json
from modaloom.runs.model import CARD, Part, load_model, save_model
from modaloom.runs.shipped import located
from modaloom.runs.store import CONFIG, DATA, RunFolder


def export(run: str | os.PathLike[str], *, out: str | os.PathLike[str]) -> Path:
    """Write what using a finished run needs: model, configuration, streams and scores.

    Weights become float16, half of their size; where a value would not fit, a tensor stays as it is. The
    data's place is left out.

    Raises `BadRun` without a finished run, `BadFolder` if `out` holds something, `WorkFailed`.
    """
    folder, target = RunFolder.open(located(Path(run))), Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadFolder(f"{target} exists and is not empty; choose another --out")
    parts = {name: _halved(part) for name, part in load_model(folder.model).parts.items()}
    save_model(target / "model", parts, (folder.model / CARD).read_text(encoding="utf-8"))
    plain = folder.data()
    write_json(target / DATA, {**plain, "folder": Path(str(plain["folder"])).name})
    for name in (CONFIG, SCORES):
        if (folder.path / name).is_file():
            (target / name).write_bytes((folder.path / name).read_bytes())
    return target


def _halved(part: Part) -> Part:
    return replace(part, tensors=_half(part.tensors))


def _half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    most = torch.finfo(torch.float16).max
    fits = {
        name: tensor.dtype == torch.float32 and bool((tensor.abs() <= most).all())
        for name, tensor in tensors.items()
    }
    return {name: tensor.half() if fits[name] else tensor for name, tensor in tensors.items()}
