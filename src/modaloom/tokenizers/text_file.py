"""Texts by a pretrained `tokenizer.json` of the library tokenizers, of any of its models."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from modaloom.core.errors import BadFile, BadRun, BadValue
from modaloom.core.graph import Graph
from modaloom.core.json_text import from_json, to_json
from modaloom.modalities.base import Limits, Modality
from modaloom.tokenizers.bpe import BPE
from tokenizers import Tokenizer as HFTokenizer

FILE = "tokenizer.json"
ADDED = ("post_processor", "truncation", "padding")
"""Parts of a file that add or remove codes."""


@dataclass(frozen=True)
class TextFileConfig:
    """Options of a pretrained text tokenizer."""

    content: dict[str, Any] = field(default_factory=dict)
    """The file's, without the parts in `ADDED`."""


class TextFile(BPE):
    """Text → codes of the file's vocabulary, EOS, then PAD; a text is what its codes are decoded to.

    Its vocabulary is fixed, whether frozen or not.
    """

    Config = TextFileConfig

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[str]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """One tokenizer for all streams, each as long as its longest text, up to the limit."""
        _check_text(modality)
        shared = cls(_build(options.content), length=1)
        lengths = {n: min(limits.max_tokens, shared.required_length(texts)) for n, texts in columns.items()}
        return [{name: shared.view((length,)) for name, length in lengths.items()}]

    def as_learned(self, value: str) -> str:
        """The text that its codes are decoded to: a vocabulary may know no capitals."""
        return self.decode(self.encode([value]))[0]

    def variant(
        self, prepared: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        raise BadValue("a pretrained text tokenizer makes no variants of texts; leave out training.augment")

    @property
    def graphs(self) -> Mapping[str, Graph]:
        """Raises `BadValue`: sample.py has byte-level BPE alone."""
        raise BadValue("texts of a pretrained tokenizer.json are not exported as ONNX")

    def state(self) -> Mapping[str, Any]:
        """The file's content, and the length."""
        return {"content": from_json(self.hf_tokenizer.to_str()), "length": self.shape.grid[0]}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`. Raises `BadRun` for a damaged state."""
        try:
            return cls(_build(state["content"]), length=state["length"])
        except Exception as error:  # the library raises bare Exceptions
            raise BadRun(f"the text tokenizer's state is damaged ({error})") from error


def text_file_config(path: Path) -> TextFileConfig:
    """The options of a file. Raises `BadFile` if it is none of the library's."""
    try:
        content = from_json(path.read_bytes())
        content = {**content, **dict.fromkeys(ADDED)}
        _build(content)
    except Exception as error:  # the library raises bare Exceptions
        raise BadFile(path, f"is no tokenizer of the library tokenizers ({error})") from error
    return TextFileConfig(content)


def _build(content: Mapping[str, Any]) -> HFTokenizer:
    return HFTokenizer.from_str(to_json(content))


def _check_text(modality: Modality) -> None:
    """Raise `BadValue` for values that are no texts."""
    if modality.tokenizer != "bpe":
        raise BadValue(f"a {FILE} is of texts; {modality.name} takes another tokenizer")
