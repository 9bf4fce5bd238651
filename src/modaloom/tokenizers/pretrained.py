"""Pretrained parts in local directories: which kind of tokenizer loads them. Nothing is downloaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.json_text import from_json
from modaloom.tokenizers.autoencoder import NETWORKS, WEIGHTS, autoencoder_config
from modaloom.tokenizers.text_file import FILE, text_file_config

PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
RUN = "data.json"
"""A file that every run has."""


@dataclass(frozen=True)
class Pretrained:
    """A tokenizer that loads a directory."""

    kind: str
    """A name in TOKENIZERS."""
    options: Any
    """An instance of the kind's `Config`."""


def find_pretrained(directory: Path, *, frozen: bool) -> Pretrained | None:
    """What loads a directory; None for a run, and for what is no directory.

    Args:
        directory: with `tokenizer.json` of the library tokenizers, or `config.json` and
            `diffusion_pytorch_model.safetensors` of an autoencoder of diffusers.
        frozen: whether its weights stay as they are.

    Raises:
        BadFolder: of another architecture, or with weights as pickles alone.
        BadFile: a damaged file.
    """
    if not directory.is_dir() or (directory / RUN).exists():
        return None
    if (directory / FILE).is_file():
        return Pretrained("text_file", text_file_config(directory / FILE))
    config = _config(directory / "config.json")
    listed = config.get("architectures")
    named = [config.get("_class_name"), *(listed if isinstance(listed, list) else ())]
    name = next((str(one) for one in named if one), "")
    if not name:
        return None
    if name not in NETWORKS:
        raise BadFolder(f"{directory} holds {name}; pretrained tokenizers are {', '.join(NETWORKS)} of "
                        f"diffusers, and a {FILE}")  # fmt: skip
    if not (directory / WEIGHTS).is_file():
        pickles = sorted(path.name for path in directory.iterdir() if path.suffix in PICKLES)
        why = f"; {', '.join(pickles)} is a pickle, which may run any code and is not read" if pickles else ""
        raise BadFolder(f"{directory} has no {WEIGHTS}{why}; save it as safetensors")
    try:
        return Pretrained("autoencoder", autoencoder_config(config, frozen=frozen))
    except KeyError as error:
        raise BadFile(directory / "config.json", f"lacks {error}") from error
    except TypeError as error:
        raise BadFile(directory / "config.json", f"is damaged ({error})") from error


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(path, f"cannot be read ({error})") from error
    return found if isinstance(found, dict) else {}
