"""Pretrained parts in local directories: which kind of tokenizer loads them. Nothing is downloaded."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.json_text import from_json
from modaloom.tokenizers import autoencoder, codec
from modaloom.tokenizers.autoencoder import NETWORKS, autoencoder_config
from modaloom.tokenizers.codec import codec_config
from modaloom.tokenizers.codec_layouts import CODECS
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
    choices: Collection[str] = ()
    """Those of its options that a stream may set."""


@dataclass(frozen=True)
class Layout:
    """Directories of a class of a library."""

    kind: str
    weights: str
    """The file of its weights."""
    options: Callable[..., Any]
    """(config.json, frozen) → the options of the kind."""
    choices: Collection[str] = ()


LAYOUTS: dict[str, Layout] = {
    **dict.fromkeys(NETWORKS, Layout("autoencoder", autoencoder.WEIGHTS, autoencoder_config)),
    **dict.fromkeys(CODECS, Layout("codec", codec.WEIGHTS, codec_config, ("num_quantizers",))),
}
"""Class in diffusers or transformers → its layout."""


def find_pretrained(directory: Path, *, frozen: bool) -> Pretrained | None:
    """What loads a directory; None for a run, and for what is no directory.

    Args:
        directory: with `tokenizer.json` of the library tokenizers, or `config.json` and weights of an
            autoencoder of diffusers or a codec of transformers.
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
    if name not in LAYOUTS:
        raise BadFolder(f"{directory} holds {name}; pretrained tokenizers are {', '.join(NETWORKS)} of "
                        f"diffusers, {', '.join(CODECS)} of transformers, and a {FILE}")  # fmt: skip
    layout = LAYOUTS[name]
    if not (directory / layout.weights).is_file():
        pickles = sorted(path.name for path in directory.iterdir() if path.suffix in PICKLES)
        why = f"; {', '.join(pickles)} is a pickle, which may run any code and is not read" if pickles else ""
        raise BadFolder(f"{directory} has no {layout.weights}{why}; save it as safetensors")
    try:
        return Pretrained(layout.kind, layout.options(config, frozen=frozen), layout.choices)
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
