"""Export of a finished run for inference."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from modaloom.data.atomic_io import new_folder, write_file, write_json
from modaloom.engines import engine_of_run
from modaloom.runs.config_io import to_plain
from modaloom.runs.model import CARD, Part, load_model, save_model
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import CONFIG, DATA, SCORES, RunFolder


def export(run: str | os.PathLike[str], *, out: str | os.PathLike[str]) -> Path:
    """Writes the files that inference needs: model, configuration, streams and scores.

    Weights are converted to float16, except tensors with values outside its range. Local paths are removed.

    Raises `BadRun` without a finished run, `BadFolder` if `out` is not empty, and `WorkFailed`.
    """
    path = resolve_run(Path(run))
    engine = engine_of_run(path)
    folder = RunFolder.open(path, engine.config)
    plain, parts = folder.data(), load_model(folder.model).parts
    data, card = Path(str(plain["folder"])), (folder.model / CARD).read_text(encoding="utf-8")
    for place in (data, folder.path):
        card = card.replace(str(place), place.name)
    with new_folder(out) as root:
        save_model(root / "model", {name: _halved(part) for name, part in parts.items()}, card)
        write_json(root / DATA, {**engine.portable_data(plain), "folder": data.name})
        write_json(root / CONFIG, to_plain(engine.portable(folder.run())))
        if (folder.path / SCORES).is_file():
            write_file(root / SCORES, (folder.path / SCORES).read_bytes())
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
