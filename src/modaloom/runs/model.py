"""Model folder: weights (safetensors), configuration and model card, without executable content.

In the layout of the Hugging Face hub, the model is two files instead, beside a run's others:
`model.safetensors` with the tensors of all parts, and `model.json` with the folder's configuration.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from modaloom.core.errors import BadRun
from modaloom.core.json_text import from_json
from modaloom.data.atomic_io import digest, encode, write_folder
from modaloom.runs.checkpoint import TENSORS, pack_tensors

M = TypeVar("M", bound=nn.Module)
CONFIG, CARD, JSON, VERSION = "config.json", "README.md", ".json", 1


@dataclass(frozen=True)
class Part:
    """A serialized module, such as a tokenizer or a Loom."""

    tensors: Mapping[str, Tensor]
    """The module's state_dict."""
    state: Mapping[str, Any]
    """JSON-serializable state from which the module is rebuilt before its tensors are loaded."""


@dataclass(frozen=True)
class ModelFiles:
    """Content of a model folder."""

    parts: Mapping[str, Part]
    hash: str
    """SHA-256 over the parts' states and weight hashes; identifies the model."""


def with_tensors(build: Callable[[], M], tensors: Mapping[str, Tensor]) -> M:
    """Build a module and load its tensors.

    It is built without memory first, so that a configuration that asks for other sizes than the tensors have,
    and perhaps for more than there is, is refused before.

    Raises:
        BadRun: the sizes differ.
    """
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in build().state_dict().items()}
    for name in sorted(expected.keys() | tensors.keys()):
        found = tensors[name].shape if name in tensors else None
        if found != expected.get(name):
            asked, there = (None if shape is None else [*shape] for shape in (expected.get(name), found))
            raise BadRun(f"its configuration asks for a tensor {name} of {asked}; its file has {there}")
    module = build()
    module.load_state_dict(dict(tensors))
    return module


def freeze(modules: Iterable[nn.Module]) -> None:
    """Set modules to eval mode and disable their gradients."""
    for module in modules:
        module.eval().requires_grad_(False)


def save_model(folder: Path, parts: Mapping[str, Part], card: str) -> str:
    """Write the folder atomically and return the model hash. Raises `WorkFailed`, `BadRun` for a bad name."""
    weights = {name: pack_tensors(part.tensors) for name, part in parts.items()}
    entries = {
        name: {"state": part.state, "sha256": digest(weights[_checked(folder, name)])}
        for name, part in parts.items()
    }
    name = digest(encode(entries))
    config = encode({"version": VERSION, "hash": name, "parts": entries})
    files = {part + TENSORS: data for part, data in weights.items()}
    write_folder(folder, {**files, CONFIG: config, CARD: card.encode()})
    return name


def hub_files(folder: Path) -> dict[str, bytes]:
    """The model as the two files of the hub's layout: name → content. Raises as `load_model`."""
    model = load_model(folder)
    tensors = {
        _module(part) + name: tensor
        for part, found in model.parts.items()
        for name, tensor in found.tensors.items()
    }
    config = _config_of(folder).read_bytes()
    return {folder.name + TENSORS: pack_tensors(tensors), folder.name + JSON: config}


def load_model(folder: Path) -> ModelFiles:
    """Read and verify the model: the folder, or the two files of its name in the hub's layout.

    Raises `BadRun` if it is missing, damaged or of an unknown version.
    """
    try:
        plain = from_json(_config_of(folder).read_bytes())
        if plain["version"] != VERSION:
            raise BadRun(f"{folder} is of version {plain['version']}; this modaloom reads version {VERSION}")
        if plain["hash"] != digest(encode(plain["parts"])):
            raise BadRun(f"{folder / CONFIG} is damaged: its content is not what was written")
        read = _in_folder(folder) if folder.is_dir() else _in_one_file(folder)
        parts = {name: _verified(folder, name, entry, read) for name, entry in plain["parts"].items()}
        return ModelFiles(parts, plain["hash"])
    except BadRun:
        raise
    except FileNotFoundError as error:
        raise BadRun(f"{folder} holds no finished model; finish the training with --resume") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
        raise BadRun(f"{folder} is damaged ({error})") from error


def _config_of(folder: Path) -> Path:
    return folder / CONFIG if folder.is_dir() else folder.with_name(folder.name + JSON)


def _module(part: str) -> str:
    """Prefix of the names of a part's tensors in one file: torch's names of modules hold no dots."""
    return part.replace(".", "/") + "."


def _in_folder(folder: Path) -> Callable[[str], bytes]:
    return lambda part: (folder / (part + TENSORS)).read_bytes()


def _in_one_file(folder: Path) -> Callable[[str], bytes]:
    tensors = safetensors.load(folder.with_name(folder.name + TENSORS).read_bytes())

    def read(part: str) -> bytes:
        prefix = _module(part)
        own = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        return pack_tensors({name.removeprefix(prefix): tensor for name, tensor in own.items()})

    return read


def _verified(folder: Path, name: str, entry: Mapping[str, Any], read: Callable[[str], bytes]) -> Part:
    data = read(_checked(folder, name))
    if digest(data) != entry["sha256"]:
        raise BadRun(f"{folder / name}{TENSORS} is damaged: its content is not what was written")
    return Part(safetensors.load(data), entry["state"])


def _checked(folder: Path, name: str) -> str:
    """Validate a part's name, which is used as a file name. Raises `BadRun`."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise BadRun(f"{folder}: {name!r} is no name of a part; use letters, digits, '.', '_' and '-'")
    return name
