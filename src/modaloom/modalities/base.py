"""The Modality interface: everything that is specific to one type of data."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL.Image import Image

from modaloom.core.errors import BadValue
from modaloom.modalities.categorical_codec import CategoricalCodec
from modaloom.modalities.codec import VARIABLE, Codec, DataSpec, Value
from modaloom.modalities.files import File
from modaloom.modalities.signal_codec import SignalCodec

__all__ = ["VALUE", "VARIABLE", "Conformed", "DataSpec", "Limits", "Modality", "Tracks", "Value"]

Limits = Any
"""An instance of a modality's own frozen dataclass of upper limits; sizes are inferred up to these."""


@dataclass(frozen=True)
class NoLimits:
    """Default of `Modality.limits`."""


def no_facts(values: Iterable[Value]) -> Mapping[str, Any]:
    """Default of `Modality.describe`: no facts."""
    return {}


@dataclass(frozen=True)
class Conformed:
    """A result, converted to the format of its source."""

    value: Value
    changes: Sequence[str] = ()
    """Properties of the source that it does not have, such as "16 bits became 8"."""


def as_made(source: object, made: Value, aligned: bool, recolored: bool) -> Conformed:
    """Default of `Modality.conform`, for values with a single format."""
    return Conformed(made)


@dataclass(frozen=True)
class Shortened:
    """Truncation or loss of resolution of a value by a limit."""

    how: str
    """Predicate, the same for all affected values: "are cut after 64 tokens"."""
    limit: str = ""
    """The field of the modality's limits to raise; empty if none applies."""
    kept: int = 0
    """Amount that is kept, in the limit's unit; less than the limit if the spec was inferred smaller."""
    needed: int = 0
    """Value of the limit that would keep more."""
    is_resolution: bool = False
    """Whether the whole value is kept at lower resolution."""


def nothing_shortened(value: Value, spec: DataSpec) -> Sequence[Shortened]:
    """Default of `Modality.shortened`, for modalities without limits, or whose tokenizer applies them."""
    return ()


@dataclass(frozen=True)
class Tracks:
    """Values of other modalities that a file may hold beside its own: the sound of a clip.

    Of a file of the stream `NAME`, the part `PART` is the stream `NAME.PART`.
    """

    modality_of: Mapping[str, str]
    """Part → modality, whose `read` reads it from the same file."""
    found: Callable[[File], Collection[str]]
    """File → the parts that it holds; nothing of one that cannot be opened."""
    write: Callable[[Value, Mapping[str, Value], Path], None]
    """(value, part → value, path): one file of all of them; deterministic."""
    copy: Callable[[Value, File, Path, Callable[[str], None]], None]
    """(value, file, path, notify): one file of the value and of the parts of another file, of any length, as
    far as they can be read; `notify` gets what cannot."""


VALUE = "Value"
"""A `Modality.feature`: a column holds the values themselves."""


@dataclass(frozen=True)
class Modality:
    """Reading, writing, display and comparison of one type of data, and its codec."""

    name: str
    suffixes: tuple[str, ...]
    """File suffixes in lower case, without the dot; files are written with the first one, or `suffix_of`."""
    tokenizer: str
    """Its default entry in TOKENIZERS."""
    read: Callable[[File], Value]
    """File → value. Raises `BadFile`."""
    write: Callable[[Value, Path], None]
    """Value → file; deterministic."""
    coerce: Callable[[object], Value]
    """Any object → value: a str is a literal for text, a path for most modalities. Raises `ModaloomError`
    that names the given and the allowed types."""
    infer_spec: Callable[[Iterable[Value], Limits], DataSpec]
    """Training values → spec."""
    compare: Callable[[Value, Value, DataSpec], Mapping[str, float]]
    """(generated, truth, spec) → values by metric name. Both are compared in the spec's format: the size of a
    signal, the units of a number. Without a size in the spec, signals must have equal sizes."""
    to_html: Callable[[Value, DataSpec], str]
    """(Value, facts on its stream, which may be empty) → HTML fragment without external references."""
    codec: Codec
    """A `SignalCodec`, a `CategoricalCodec` or a `StringCodec`."""
    byte_codec: SignalCodec | None = None
    """The codec of the same values as signals of their bytes; None: they have none."""
    picture: Callable[[Value, DataSpec], Image] | None = None
    """(Value, facts on its stream) → its look, as one RGB picture: its pixels, a spectrogram, frames
    side by side. None: it has no look."""
    tokenizer_options: Mapping[str, Any] = field(default_factory=dict)
    """Defaults of that tokenizer's options, where they are not those of its `Config`."""
    lower_is_better: tuple[str, ...] = ()
    """Metrics of `compare` of which lower values are better."""
    limits: Limits = NoLimits()
    """Default limits on the size of values: an instance of a frozen dataclass, the settings
    `data.limits.MODALITY.*`."""
    shortened: Callable[[Value, DataSpec], Sequence[Shortened]] = nothing_shortened
    """Value, spec → what the spec's limits cut from it."""
    describe: Callable[[Iterable[Value]], Mapping[str, Any]] = no_facts
    """At least one value, iterated once → JSON-able facts (ranges, lengths), which `inspect` prints."""
    length: Callable[[Value], float] | None = None
    """Value → how long it is, in its own unit (characters, seconds); None: it has no length."""
    letters: Callable[[Value], str] | None = None
    """Value → the characters that it consists of; None: it consists of none."""
    windows: Callable[[File, Limits], Sequence[Value]] | None = None
    """File of any length → values within the limits, which are samples of their own; None: it is never cut.
    Raises `BadFile`."""
    suffix_of: Callable[[Value, str], str] | None = None
    """Value, preferred suffix → the suffix of a file that holds it exactly; None: the first suffix holds
    any."""
    reads: tuple[str, ...] = ()
    """Suffixes of other modalities whose files it reads, too."""
    exact: Callable[[Sequence[File]], str] | None = None
    """Files of a stream → the name of the modality that keeps their true values; None: this one does."""
    remarks: Callable[[Sequence[File]], Sequence[str]] = lambda paths: ()
    """Some files of a stream → sentences on what reading changes of them."""
    literal: bool = False
    """Whether a str is a value, not the path of one."""
    feature: str = ""
    """What Hugging Face's datasets call a column of its values: `VALUE`, or files as Image, Audio or Video;
    empty: files as bytes and path alone."""
    fields: Callable[[File, Sequence[str]], Mapping[str, str]] | None = None
    """(File, names) → those fields of its header that have a value, to split by. They are no part of a value,
    and nothing stores them. Raises `BadFile`. None: files have none."""
    kin: tuple[str, ...] = ()
    """Modalities whose files it reads, too."""
    tracks: Tracks | None = None
    """What its files may hold of other modalities; None: nothing."""
    conform: Callable[[object, Value, bool, bool], Conformed] = as_made
    """(source as a path or value, result, whether the result shows the same area, whether its colours are not
    the source's) → the result in the source's format."""

    def suffix(self, value: Value, like: str = "") -> str:
        """The suffix that a value is written with, without the dot: `like`, if there is a choice."""
        return self.suffixes[0] if self.suffix_of is None else self.suffix_of(value, like)

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
