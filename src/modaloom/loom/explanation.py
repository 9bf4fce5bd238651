"""Why a Loom generated a value: the bits that each part of what was given tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from modaloom.core.defaults import EXPLAIN_ORDERS, SEED
from modaloom.core.errors import BadValue, check_choice, check_count
from modaloom.core.rng import derive, generator
from modaloom.evaluation.owen import area, deletion, insertion, owen_values
from modaloom.loom.command_line import told
from modaloom.loom.evidence import Evidence, parts_of
from modaloom.loom.run import TrainedRun
from modaloom.modalities.base import Value
from modaloom.tokenizers.parts import Box

NUM_LEVELS = {"attributions": 16, "curves": 8}
"""Noise levels of the likelihoods of each; their masks differ, so that the curves are a test."""
NUM_RANDOM = 3
"""Random orders that the curves stand beside."""


@dataclass(frozen=True)
class Attribution:
    """What a part of a given stream tells of the generated value."""

    stream: str
    part: str
    """A word, a column of a record, or where it is: a patch, seconds of a sound, frames of a clip."""
    bits: float
    """Its share of what all parts tell; below 0, it speaks against the value."""
    box: Box | None = None
    """Left, top, right and bottom in the value's picture, in [0, 1]; None: it has no place there."""


@dataclass(frozen=True)
class Explanation:
    """A generated value, and what of the given streams drove it.

    The bits of all parts sum to log₂ p(value | given) − log₂ p(value), by the model's own conditionals
    (`Evidence`); those of a stream sum to its Shapley value.
    """

    want: str
    value: Value
    given: Mapping[str, Value]
    """Stream → value, as the model takes it."""
    parts: tuple[Attribution, ...]
    """Those of a stream follow one another."""
    bits: float
    """−log₂ p(value): what it takes to tell the value without anything given."""
    deletion: tuple[float, ...]
    """log₂ p(value | what is left) as the parts are hidden one by one, the highest attribution first: the
    lower it lies beneath `random`, the better."""
    insertion: tuple[float, ...]
    """The same as the parts are shown one by one: the higher it lies above `random`, the better."""
    random: tuple[tuple[float, ...], ...]
    """The same as they are shown in random orders, or, backwards, hidden."""
    previews: tuple[Value, ...]
    """The value as it was known after each sampling step, if asked for."""
    modality_of: Mapping[str, str]

    @property
    def streams(self) -> dict[str, float]:
        """Given stream → its bits."""
        return {name: sum(one.bits for one in self.parts if one.stream == name) for name in self.given}

    @property
    def areas(self) -> dict[str, tuple[float, ...]]:
        """The mean heights of the curves of `deletion`, `insertion` and `random`."""
        curves = {"deletion": (self.deletion,), "insertion": (self.insertion,), "random": self.random}
        return {name: tuple(area(torch.tensor(one)) for one in some) for name, some in curves.items()}

    def to_dict(self) -> dict[str, object]:
        """As plain data, without values that are no text."""
        return {
            "want": self.want,
            "value": told(self.value),
            "bits": self.bits,
            "streams": self.streams,
            "parts": [vars(one) for one in self.parts],
            "deletion": self.deletion,
            "insertion": self.insertion,
            "random": self.random,
            "areas": self.areas,
        }


def explain(
    trained: TrainedRun,
    given: Mapping[str, Value],
    want: str,
    *,
    seed: int = SEED,
    orders: int = EXPLAIN_ORDERS,
    film: bool = False,
) -> Explanation:
    """Generate a value and tell what drove it.

    Args:
        trained: the run.
        given: stream → value, at least one, as in `TrainedRun.generate`.
        want: the target stream.
        seed: of the value, which is the first that `generate` draws, of the masks and of the orders.
        orders: in how many orders the parts of a stream are shown, 1 to 1000; see `owen_values`.
        film: keep the preview after each sampling step, at the price of one more step for each.

    Raises:
        BadValue: nothing is given, an unknown stream, a value that its modality rejects, too many streams.
        BadFile: an unreadable path.
    """
    check_count("orders", orders, 1, 1000)
    check_choice("stream to want", want, trained.model.wanted)
    if not given:
        raise BadValue("nothing is given that could explain it; name a stream and its value")
    model, own = trained.model, trained.values(given)
    previews = list[Value]()
    for frame in trained.stream(own, want, n=1, seed=seed):
        previews += [one[want] for one in frame.preview() if want in one] if film else []
    assert frame.result is not None
    (made,) = frame.result
    codes = {name: column[0] for name, column in model.codes({name: [v] for name, v in own.items()}).items()}
    parts = {
        name: parts_of(model.loom, name, model.streams[name].tokenizer.parts(c)) for name, c in codes.items()
    }
    game, test = (
        Evidence(model.loom, codes, parts, want, made.codes[want], seed=derive(seed, name), levels=levels)
        for name, levels in NUM_LEVELS.items()
    )
    sizes = [len(column) for column in parts.values()]
    values = owen_values(game, sizes, orders=orders, generator=generator(seed, "explain"))
    named = [(name, part) for name, column in parts.items() for part in column]
    order = values.argsort(descending=True, stable=True).tolist()
    nothing = torch.zeros(1, len(named), dtype=torch.bool)
    return Explanation(
        want=want,
        value=made[want],
        given={name: model.as_learned(name, value) for name, value in own.items()},
        parts=tuple(
            Attribution(name, part.name, bits, part.box) for (name, part), bits in zip(named, values.tolist())
        ),
        bits=-float(game(nothing)),
        deletion=tuple(deletion(test, order, len(order)).tolist()),
        insertion=tuple(insertion(test, order, len(order)).tolist()),
        random=tuple(
            tuple(insertion(test, other, len(order)).tolist()) for other in _random(len(order), seed)
        ),
        previews=tuple(previews),
        modality_of=trained.modality_of,
    )


def _random(size: int, seed: int) -> list[list[int]]:
    return [
        torch.randperm(size, generator=generator(seed, "explain", "random", i)).tolist()
        for i in range(NUM_RANDOM)
    ]
