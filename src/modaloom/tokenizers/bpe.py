"""Byte-level byte-pair encoding (Sennrich et al. 2016; bytes as in GPT-2), without unknown tokens."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.errors import BadRun, BadValue, bounded, check_range
from modaloom.core.json_text import from_json
from modaloom.core.types import CodeShape
from modaloom.modalities.base import Limits, Modality, Shortened
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.bpe_dropout import Ranks, segment
from modaloom.tokenizers.parts import Part
from modaloom.tokenizers.spans import Span, places_within
from tokenizers import Tokenizer as HFTokenizer
from tokenizers import decoders, models, pre_tokenizers, trainers

NUM_BYTES = 256
INVALID, MOST_BYTES = "\ufffd", 4
"""What bytes that are no letter are decoded to, and most bytes of a letter."""
PRINTABLE = (*range(33, 127), *range(161, 173), *range(174, 256))
BYTE_OF = {chr(byte): byte for byte in PRINTABLE} | {
    chr(NUM_BYTES + i): byte for i, byte in enumerate(b for b in range(NUM_BYTES) if b not in PRINTABLE)
}
"""Letter of the alphabet of bytes → the byte (Radford et al. 2019, GPT-2)."""


@dataclass(frozen=True)
class BPEConfig:
    """Options of the BPE tokenizer."""

    vocab_size: int = 512
    """Maximum number of codes: 256 bytes, merges, EOS and PAD. ≥ 258."""
    variable_length: bool = False
    """Whether a text has as many codes as tokens, without EOS and PAD, instead of as many as the longest."""

    def __post_init__(self) -> None:
        check_range("vocab_size", self.vocab_size, NUM_BYTES + 2)


class BPE(Tokenizer):
    """Text → `length` codes: tokens, EOS, then PAD. EOS and PAD are ordinary codes.

    Of variable length: at most `length` codes, one per token; `shape.padding` follows them.

    Longer text is truncated to `length` tokens, without EOS.
    """

    Config: ClassVar[type] = BPEConfig

    def __init__(self, hf_tokenizer: HFTokenizer, *, length: int, variable: bool = False) -> None:
        super().__init__()
        check_range("text length", length, 1)
        self.hf_tokenizer = hf_tokenizer
        # Of variable length, EOS and PAD are no codes: both are the padding that follows the last one.
        self.eos = hf_tokenizer.get_vocab_size()
        self.pad = self.eos if variable else self.eos + 1
        num_codes = self.eos if variable else self.pad + 1
        self.shape = CodeShape(grid=(length,), depth=1, codebook_size=num_codes, variable=variable)
        self.spec = {"tokens": length}

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[str]], limits: Limits, options: BPEConfig
    ) -> list[dict[str, Self]]:
        """Learn one vocabulary for all streams.

        A stream is as long as its longest text, up to the limit; of variable length it may be as long as the
        limit, since what is not there costs nothing.

        Args:
            modality: text.
            columns: stream → texts.
            limits: `max_tokens` bounds the length.
            options: size of the vocabulary, and whether lengths vary.
        """
        texts = [text for column in columns.values() for text in column]
        variable, most = options.variable_length, limits.max_tokens
        shared = cls.learn(texts, vocab_size=options.vocab_size, length=1, variable=variable)
        lengths = {
            name: most if variable else min(most, shared.required_length(column))
            for name, column in columns.items()
        }
        return [{name: shared.view((length,)) for name, length in lengths.items()}]

    @classmethod
    def learn(cls, texts: Sequence[str], *, vocab_size: int, length: int, variable: bool = False) -> Self:
        """Learn at most `vocab_size` ≥ 258 codes, including EOS and PAD. Raises `BadValue`.

        The vocabulary is the same whether the length is variable or not.
        """
        check_range("vocab_size", vocab_size, NUM_BYTES + 2)
        hf_tokenizer = _byte_level_tokenizer(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size - 2,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        hf_tokenizer.train_from_iterator(texts, trainer)
        return cls(hf_tokenizer, length=length, variable=variable)

    def view(self, grid: Sequence[int]) -> Self:
        """The same vocabulary for a stream of another length, (length,)."""
        (length,) = grid
        return type(self)(self.hf_tokenizer, length=length, variable=self.shape.variable)

    def required_length(self, texts: Iterable[str]) -> int:
        """Number of codes of the longest text, including EOS where there is one."""
        return (not self.shape.variable) + max(map(self._tokens, texts), default=0)

    def as_learned(self, value: str) -> str:
        """Text truncated to `length` tokens."""
        return self.decode(self.encode([value]))[0] if self._tokens(value) > self.spec["tokens"] else value

    def shortened(self, value: str) -> Sequence[Shortened]:
        tokens, length = self._tokens(value), self.spec["tokens"]
        how = f"are cut after {length} tokens"
        needed = self.required_length([value])
        return [Shortened(how, "max_tokens", length, needed)] if tokens > length else ()

    def unknown(self, value: str, options: BPEConfig) -> Sequence[str]:
        """Words that are no token, where merges ended before the vocabulary was full: then all words are."""
        vocab = self.hf_tokenizer.get_vocab()
        if len(vocab) + 2 >= options.vocab_size:
            return ()
        words = [value[slice(*place)].strip() for word, place in self._words(value) if word not in vocab]
        return [*dict.fromkeys(filter(None, words))]

    def _tokens(self, text: str) -> int:
        return len(self.hf_tokenizer.encode(text).ids)

    def prepare(self, value: str) -> NDArray[np.int64]:
        """Text → int64 (length,)."""
        return self._padded(self.hf_tokenizer.encode(value).ids)

    def _padded(self, ids: list[int]) -> NDArray[np.int64]:
        (length,) = self.shape.grid
        codes = np.full(length, self.pad, np.int64)
        codes[: len(ids) + 1] = [*ids, self.eos][:length]
        return codes

    def variant(
        self, prepared: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        """Another segmentation of the same text; words stay as they are where the length is not enough."""
        generator, (text,) = random("dropout"), self.decode(prepared[None, :, None])
        words = [word for word, _ in self._words(text)]
        found, others = (
            [segment(word, self._ranks, dropout, generator) for word in words]
            for dropout in (0.0, strengths["dropout"])
        )
        if not torch.equal(self._coded(found), prepared):  # it was cut within a character
            return prepared
        spare = len(prepared) - (not self.shape.variable) - sum(map(len, found))
        for i in torch.randperm(len(words), generator=generator).tolist():
            more = len(others[i]) - len(found[i])
            if more <= spare:
                found[i], spare = others[i], spare - more
        return self._coded(found)

    def _coded(self, words: Iterable[Iterable[str]]) -> Tensor:
        ids = self.hf_tokenizer.get_vocab()
        return torch.from_numpy(self._padded([ids[token] for word in words for token in word]))

    @cached_property
    def _ranks(self) -> Ranks:
        return {(left, right): rank for rank, (left, right) in enumerate(self.state()["merges"])}

    def parts(self, codes: Tensor) -> list[Part]:
        """Words and signs, or tokens where a text has no space; its end belongs to the last one."""
        ids = [code for code in codes[:, 0].tolist() if code < self.eos]
        tokens = [str(self.hf_tokenizer.id_to_token(code)) for code in ids]
        text = self._text(ids)
        words = [(word, text[slice(*place)]) for word, place in self._words(text)]
        if " " not in text or sum(map(len, tokens)) != sum(len(word) for word, _ in words):
            words = self._letters(tokens, ids)
        ends, word_ends = (
            torch.tensor([len(one) for one in column]).cumsum(0) for column in (tokens, [w for w, _ in words])
        )
        owner = torch.full((len(codes),), max(0, len(words) - 1))
        owner[: len(ids)] = torch.searchsorted(word_ends, ends)
        return [Part(name.strip() or name, owner == i) for i, (_, name) in enumerate(words)]

    @property
    def extent(self) -> tuple[float, float]:
        """Tokens of the longest text, and of a code."""
        return float(self.shape.grid[0]), 1.0

    def positions_in(self, spans: Sequence[Span], value: str | None = None) -> Tensor:
        """Those of whole tokens. The end of a text, where it is a code, is a character after the last one."""
        if value is None:
            raise BadValue("parts of a text are those of one that is given; give it")
        end = math.nan if self.shape.variable else len(value)
        offsets = self.hf_tokenizer.encode(value).offsets[: self.shape.grid[0]]
        places = offsets + [(end, end + 1)] * (self.shape.grid[0] - len(offsets))
        starts, ends = torch.tensor(places, dtype=torch.float64).T
        tokens = bounded((repr(value[slice(*offset)]) for offset in offsets), " ")
        return places_within(spans, starts, ends, f"parts are whole tokens, {tokens}")

    def rows(self, codes: Tensor) -> list[Tensor]:
        """Tokens (n, 1), without EOS and what follows it."""
        return [row[: int((row[:, 0] < self.eos).cumprod(0).sum())] for row in codes]

    def _letters(self, tokens: Sequence[str], ids: Sequence[int]) -> list[tuple[str, str]]:
        """Tokens and what they say, those joined that are bytes of one letter."""
        groups = list[tuple[str, list[int]]]()
        for token, code in zip(tokens, ids):
            if groups and INVALID in self._text(groups[-1][1]) and len(groups[-1][1]) < MOST_BYTES:
                groups[-1] = (groups[-1][0] + token, [*groups[-1][1], code])
            else:
                groups.append((token, [code]))
        return [(joined, self._text(codes)) for joined, codes in groups]

    def _words(self, text: str) -> list[tuple[str, tuple[int, int]]]:
        """Words, in the alphabet of bytes, and their places in the text."""
        return list(self.hf_tokenizer.pre_tokenizer.pre_tokenize_str(text))

    @property
    def code_names(self) -> Mapping[str, Sequence[str]]:
        """Tokens as they are written, those that are no whole letters as their bytes."""
        return {"": [self._said(code) for code in range(self.eos)]}

    def _said(self, code: int) -> str:
        text = self._text([code])
        if INVALID not in text:
            return text
        token = str(self.hf_tokenizer.id_to_token(code))
        return " ".join(f"{BYTE_OF[letter]:02x}" if letter in BYTE_OF else letter for letter in token)

    def encode_batch(self, batch: Tensor) -> Tensor:
        """int64 (B, length) → (B, length, 1)."""
        return batch[..., None]

    def decode(self, codes: Tensor) -> list[str]:
        """Codes (B, length, 1) → texts up to the first EOS or end, without PAD; invalid UTF-8 becomes �.

        A text without an end was cut, and ends with its last whole character.
        """
        return [
            self._text(row) if self.eos in row else self._text(row).removesuffix(INVALID)
            for row in codes[..., 0].tolist()
        ]

    def _text(self, ids: list[int]) -> str:
        end = ids.index(self.eos) if self.eos in ids else len(ids)
        return str(self.hf_tokenizer.decode([code for code in ids[:end] if code < self.eos]))

    def state(self) -> Mapping[str, Any]:
        """Vocabulary in code order, merges in order, length, and `variable` where it is."""
        model = from_json(self.hf_tokenizer.to_str())["model"]
        vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
        state = {"vocabulary": vocabulary, "merges": model["merges"], "length": self.shape.grid[0]}
        return state | ({"variable": True} if self.shape.variable else {})

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`. Raises `BadRun` for a damaged state."""
        try:
            vocab = {token: code for code, token in enumerate(state["vocabulary"])}
            merges = [(left, right) for left, right in state["merges"]]
            hf_tokenizer = _byte_level_tokenizer(models.BPE(vocab=vocab, merges=merges))
            return cls(hf_tokenizer, length=state["length"], variable=state.get("variable", False))
        except Exception as error:  # the library raises bare Exceptions
            raise BadRun(f"the text tokenizer's state is damaged ({error})") from error


def _byte_level_tokenizer(model: models.BPE) -> HFTokenizer:
    hf_tokenizer = HFTokenizer(model)
    hf_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    hf_tokenizer.decoder = decoders.ByteLevel()
    return hf_tokenizer
