"""The Modality value: everything that is special about a kind of data, in one place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.modalities.categorical_codec import CategoricalCodec
from modaloom.modalities.codec import Codec, DataSpec, Value
from modaloom.modalities.signal_codec import SignalCodec

__all__ = ["Conformed", "DataSpec", "Limits", "Modality", "Value"]


@dataclass(frozen=True)
class Limits:
    """What a preset allows; sizes follow the data up to these."""

    max_side: int = 32
    """Longest side of an image, pixels."""
    max_tokens: int = 64
    """Longest text, tokens."""
    max_bins: int = 32
    """Quantile bins of a number."""


def no_facts(values: Iterable[Value]) -> Mapping[str, Any]:
    """The description of values of which there is nothing to say."""
    return {}


@dataclass(frozen=True)
class Conformed:
    """A value in the form of the one that it was made of."""

    value: Value
    changes: Sequence[str] = ()
    """What of that form it does not have, such as "16 bits became 8"."""


def as_made(source: object, made: Value, aligned: bool, recolored: bool) -> Conformed:
    """Of values that have one form."""
    return Conformed(made)


@dataclass(frozen=True)
class Shortened:
    """What a limit takes from a value."""

    how: str
    """As a predicate, the same for all values that it happens to: "are cut after 64 tokens"."""
    limit: str = ""
    """The field of `Limits` that may be raised; none where nothing can be."""
    kept: int = 0
    """How much is kept, in the limit's unit: less than the limit where not it, but the data is the reason."""
    needed: int = 0
    """The limit that would keep more."""
    is_resolution: bool = False
    """Whether the whole value stays, but coarser."""


def nothing_shortened(value: Value, spec: DataSpec) -> Sequence[Shortened]:
    """Of a modality without limits, or whose tokenizer knows them."""
    return ()


@dataclass(frozen=True)
class Modality:
    """How a kind of data is read, written, shown and compared, and the one codec of its values."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case, without the dot; the first one is written."""
    tokenizer: str
    """Its usual entry in TOKENIZERS."""
    read: Callable[[Path], Value]
    """File → value. Raises `BadFile`."""
    write: Callable[[Value, Path], None]
    """Value → file. The same value gives the same bytes."""
    coerce: Callable[[object], Value]
    """Whatever a caller gives → value: a str is literal for text, a path for most. Raises `ModaloomError`
    with the type that was got and those that are allowed."""
    infer_spec: Callable[[Iterable[Value], Limits], DataSpec]
    """Training values → spec."""
    compare: Callable[[Value, Value, DataSpec], Mapping[str, float]]
    """(generated, truth, spec) → figures by metric name, both in the spec's form, which knows the size of a
    signal and the units of a number. Without a spec, signals must be of one size."""
    to_html: Callable[[Value], str]
    """An HTML fragment that shows the value, with no external reference."""
    codec: Codec
    """What its values are: a `SignalCodec`, a `CategoricalCodec` or a `StringCodec`."""
    shortened: Callable[[Value, DataSpec], Sequence[Shortened]] = nothing_shortened
    """What a spec's limits take from a value."""
    describe: Callable[[Iterable[Value]], Mapping[str, Any]] = no_facts
    """One or more values, read one by one → JSON-able facts for people (ranges, lengths); what `inspect`
    prints."""
    conform: Callable[[object, Value, bool, bool], Conformed] = as_made
    """(a path or value as a caller gave it, what was made of it, whether that shows the same area, whether it
    has colours of its own) → the latter in the former's form."""

    @property
    def signal(self) -> SignalCodec:
        """The codec of a modality of signals. Raises `BadValue` for others."""
        if isinstance(self.codec, SignalCodec):
            return self.codec
        raise BadValue(f"{self.name} has no signal; take a modality of signals, such as pictures")

    @property
    def categorical(self) -> CategoricalCodec:
        """The codec of a modality of categories. Raises `BadValue` for others."""
        if isinstance(self.codec, CategoricalCodec):
            return self.codec
        raise BadValue(f"{self.name} has no categories; take a modality of categories, such as records")
