"""Checkpoints: `FOLDER/step-000123/{*.safetensors, state.json, manifest.json}`, one folder per stage.

They contain no pickles. The manifest has the SHA-256 of every other file, so that corruption, truncation or a
missing file is detected on loading, and the previous checkpoint is used instead.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from modaloom.core.errors import BadFile, WorkFailed
from modaloom.core.json_text import from_json
from modaloom.data.atomic_io import digest, encode, remove_folder, write_folder

MANIFEST, STATE, TENSORS = "manifest.json", "state.json", ".safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """State from which a training stage resumes."""

    step: int
    """Number of completed steps."""
    tensors: Mapping[str, Mapping[str, Tensor]]
    """File stem → name → tensor."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """JSON-serializable state."""


@dataclass(frozen=True)
class Found:
    """The newest valid checkpoint, and messages on newer damaged ones."""

    checkpoint: Checkpoint | None
    damaged: tuple[str, ...]
    """One message per damaged checkpoint, newest first."""


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, verify it, and delete all but it and the previous one.

    Raises `WorkFailed` if it cannot be written or fails verification; the previous one is then intact.
    """
    path = folder / f"step-{checkpoint.step:06d}"
    write_folder(path, _pack(checkpoint))
    try:
        load(path)
    except BadFile as error:
        remove_folder(path)
        raise WorkFailed(f"{path} did not read back as written ({error.reason}); check the disk") from error
    older = [other for other in _all(folder) if _step(other) < checkpoint.step]
    for other in _all(folder):
        if other not in (path, *older[-1:]):
            with suppress(OSError):  # the next save tries again
                remove_folder(other)
    return path


def load(path: Path) -> Checkpoint:
    """Read and verify one checkpoint. Raises `BadFile` naming the damaged file."""
    files = _verified(path)
    try:
        tensors = {
            name.removesuffix(TENSORS): safetensors.load(data)
            for name, data in files.items()
            if name.endswith(TENSORS)
        }
        return Checkpoint(_step(path), tensors, from_json(files[STATE]))
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadFile(path, f"not a checkpoint ({error})") from error


def newest(folder: Path) -> Found:
    """Find the newest checkpoint that passes verification; `checkpoint` is None if there is none."""
    damaged: list[str] = []
    for path in reversed(_all(folder)):
        try:
            return Found(load(path), tuple(damaged))
        except BadFile as error:
            damaged.append(f"checkpoint {path.name} is damaged and not used: {error}")
    return Found(None, tuple(damaged))


def pack_tensors(tensors: Mapping[str, Tensor]) -> bytes:
    """Named tensors → safetensors bytes. Tied tensors are stored under each of their names."""
    return safetensors.save({name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()})


def _pack(checkpoint: Checkpoint) -> dict[str, bytes]:
    files = {stem + TENSORS: pack_tensors(tensors) for stem, tensors in checkpoint.tensors.items()}
    files[STATE] = encode(checkpoint.state)
    return {**files, MANIFEST: _manifest(files)}


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return encode({name: digest(files[name]) for name in sorted(files)})


def _verified(path: Path) -> dict[str, bytes]:
    """Verified files of a checkpoint, without the manifest. Raises `BadFile` naming the first damaged one."""
    try:
        files = {file.name: file.read_bytes() for file in path.iterdir()}
        written = from_json(manifest := files.pop(MANIFEST))
        odd = [
            name for name in sorted({*files, *written}) if digest(files.get(name, b"")) != written.get(name)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(path / MANIFEST, f"not readable ({error})") from error
    if odd:
        raise BadFile(path / odd[0], "missing" if odd[0] not in files else "not what the manifest says")
    if manifest != _manifest(files):
        raise BadFile(path / MANIFEST, "not what was written")
    return files


def _all(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted((path for path in folder.glob("step-*") if path.name[5:].isdigit()), key=_step)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))
