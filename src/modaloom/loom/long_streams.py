"""Values longer than those that a model was trained on, block by block: each goes on from the end of the one
before."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.frame import Frame, Frames
from modaloom.core.rng import derive
from modaloom.core.types import CodeShape
from modaloom.loom.canvas import NOTHING
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.model import BATCH_SIZE, Model
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.tokenizers.lengths import join_lengths
from modaloom.tokenizers.spans import TOLERANCE

Draw = Callable[..., Frames[dict[str, Tensor]]]
"""(given codes, n, seed, names, options) → frames of codes, as `Model.stream`."""
OVERLAP = 0.5
"""How much of a block is the end of the one before."""


def drawing(
    model: Model,
    want: Sequence[str],
    kept: Mapping[str, Tensor],
    long: "LongStream | None",
    strength: Mapping[str, float] = NOTHING,
) -> Draw:
    """What draws the streams `want`: whole, or the one that is long by blocks."""
    return partial(model.stream, want=want, kept=kept, strength=strength) if long is None else long.stream


@dataclass(frozen=True)
class LongStream:
    """A stream whose values are drawn by blocks.

    Rows are indices of the first axis of its codes.
    """

    model: Model
    name: str
    rows: int
    """How many a value has at most."""
    beyond: float
    """How much of the last row is beyond its end, as a fraction."""

    @classmethod
    def of(
        cls,
        model: Model,
        want: Sequence[str],
        length: float | None,
        given: Mapping[str, Value] = NOTHING,
        kept: Mapping[str, Tensor] = NOTHING,
    ) -> "LongStream | None":
        """A wanted stream of this length, in the unit of `Tokenizer.extent`; where its codes do not tell the
        end of a value, to the next whole code.

        None: without a length. Raises `BadValue` where several are wanted, for streams without a length, for
        a length that is drawn at once, for a given value that cannot go on, and for parts that are kept.
        """
        if length is None:
            return None
        if kept:
            raise BadValue(
                "a value of a length goes on from all that is given of it; leave out keep and strength"
            )
        if len(want) != 1:
            raise BadValue(f"a length is of one stream; {', '.join(want) or 'nothing'} is wanted")
        name = check_choice("stream to want", want[0], model.wanted)
        tokenizer, modality = model.streams[name].tokenizer, MODALITIES[model.streams[name].modality]
        if modality.length is None:
            raise BadValue(f"{name} has no length: values of {modality.name} do not go on; leave length out")
        most, step = tokenizer.extent
        if not most < length < math.inf:
            raise BadValue(f"length is {length:g}; {name} is drawn whole up to {most:g}, give more")
        rows = math.ceil(length / step - TOLERANCE)
        long = cls(model, name, rows, rows - length / step)
        long._check_given(given)
        return long

    def _check_given(self, given: Mapping[str, Value]) -> None:
        """Raise `BadValue` for a value that cannot go on: one that a limit cuts, or that does not fill up the
        codes of a fixed length."""
        stream = self.model.streams[self.name]
        measure = MODALITIES[stream.modality].length
        if self.name not in given or measure is None:
            return
        for lost in stream.tokenizer.shortened(given[self.name]):
            if not lost.is_resolution:
                raise BadValue(
                    f"values of {self.name} {lost.how}, and it would go on from there; give less: its end"
                )
        if self.shape.variable:
            return
        (whole,) = stream.tokenizer.decode(stream.tokenizer.encode([given[self.name]]))
        have, full = measure(given[self.name]), measure(whole)
        if have < full - TOLERANCE:
            raise BadValue(f"{self.name} is {have:g} s long; what goes on here is at least {full:g} s")

    @property
    def shape(self) -> CodeShape:
        """Of the codes of a block."""
        return self.model.streams[self.name].tokenizer.shape

    @property
    def overlap(self) -> int:
        """Rows of a block that are those before, at most; of a block of one row none."""
        return int(OVERLAP * self.shape.grid[0])

    def num_steps(self, want: Sequence[str], options: CodeSamplingConfig, given: Mapping[str, Tensor]) -> int:
        """Sampling steps of a batch, if every block is as long as it may be; `given`: codes of the stream,
        if it goes on."""
        more = self.shape.grid[0] - self.overlap
        there = [len(rows) for name in {self.name}.intersection(given) for rows in self._split(given[name])]
        blocks = -(-(self.rows - min(there, default=self.overlap)) // more)
        return blocks * self.model.num_steps(want, options)

    def stream(
        self,
        given: Mapping[str, Tensor],
        *,
        n: int,
        seed: int,
        names: Sequence[str | int],
        options: CodeSamplingConfig,
    ) -> Frames[dict[str, Tensor]]:
        """`Model.stream` of the stream, which goes on from its own codes where those are given.

        A value of variable length may end before it is as long as asked for: with a block that draws nothing
        after what it is given, half of the block before. Of a given value that is all that fits at first, and
        half of that where nothing comes after it: values may be short of what their codes hold.

        Args:
            given: stream → int64 codes (n, L, Q).
            n, seed, names, options: as in `Model.stream`.

        Returns:
            Frames whose result is stream → int64 codes (n, L, Q), L as the longest value needs.
        """
        whole = self._split(given[self.name]) if self.name in given else [self._nothing()] * n
        others = {name: codes for name, codes in given.items() if name != self.name}
        goes_on, step, total = [*range(n)], 0, self.num_steps([self.name], options, given)
        most, grown = [self.overlap] * n, {*range(0 if self.name in given else n)}
        shown: Frame[dict[str, Tensor]] | None = None
        for block in count():
            before, begun = whole, [self._complete(one) for one in whole]
            for known, group in self._groups(begun, goes_on, most):
                request = {name: codes[group] for name, codes in others.items()}
                places = torch.arange(self.shape.num_positions) < known * self.shape.row_size
                frames = self.model.stream(
                    request | self._tails([begun[i] for i in group], known),
                    [self.name],
                    n=len(group),
                    seed=derive(seed, "block", block) if block else seed,
                    names=[names[i] for i in group],
                    options=options,
                    kept={self.name: places} if known else {},
                )
                for frame in frames:
                    if shown is not None:
                        yield shown
                    step += 1
                    now = frame.map(partial(self._joined, whole, begun, group, known))
                    shown = replace(now, step=step, total=max(step, total), result=None)
                assert frame.result is not None
                whole = self._longer(whole, begun, group, known, frame.result[self.name])
                for i, rows in zip(group, self._split(frame.result[self.name]), strict=True):
                    most[i] = min(self.overlap, max(1, int(OVERLAP * len(rows))))
            grew = {i for i in goes_on if len(before[i]) < len(whole[i])}
            again = {i for i in goes_on if i not in grown and most[i] < min(self.overlap, len(begun[i]))}
            goes_on = [i for i in goes_on if i in grew | again and len(whole[i]) < self.rows]
            grown |= grew
            if not goes_on:
                break
        assert shown is not None
        yield replace(shown, total=step, result={self.name: self._join([self._cut(one) for one in whole])})

    def has_ended(self, codes: Mapping[str, Tensor]) -> bool:
        """Whether a value that was drawn, stream → codes (L, Q), ends before it is as long as asked for."""
        return len(self._split(codes[self.name][None])[0]) < self.rows

    def _nothing(self) -> Tensor:
        return torch.zeros(0, *self.shape.grid[1:], self.shape.depth, dtype=torch.int64)

    def _split(self, codes: Tensor) -> list[Tensor]:
        """Codes (n, L, Q) → n tensors (rows, *rest, Q)."""
        return self.model.streams[self.name].tokenizer.rows(self.shape.on_grid(codes))

    def _join(self, rows: Sequence[Tensor]) -> Tensor:
        """The inverse of `_split`."""
        most = max([self.shape.grid[0], *map(len, rows)])
        shape = replace(self.shape, grid=(most, *self.shape.grid[1:]))
        return join_lengths(rows, shape).flatten(1, -2)

    def _tails(self, whole: Sequence[Tensor], known: int) -> dict[str, Tensor]:
        """The last rows of each as the first ones of a block."""
        if not known:
            return {}
        padding = self.shape.padding if self.shape.variable else 0
        block = torch.full((len(whole), *self.shape.grid, self.shape.depth), padding)
        block[:, :known] = torch.stack([one[len(one) - known :] for one in whole])
        return {self.name: block.flatten(1, -2)}

    def _complete(self, codes: Tensor) -> Tensor:
        """A value without its last row where that may reach past its end: what is there is repeated."""
        tokenizer = self.model.streams[self.name].tokenizer
        most, step = tokenizer.extent
        if self._positions:
            is_partial = bool((codes[-1:, ..., -1] > 0).any())
        else:
            in_pieces = self.shape.variable and tokenizer.files is not None
            is_partial = in_pieces or self.shape.grid[0] * step > most + TOLERANCE
        return codes[:-1] if is_partial else codes

    @property
    def _positions(self) -> int:
        """Of a row, where codes tell how many of the last one's are beyond the end; else 0."""
        files = self.model.streams[self.name].tokenizer.files
        return files.strides[0] if files is not None and files.exact else 0

    def _groups(
        self, begun: Sequence[Tensor], goes_on: Sequence[int], most: Sequence[int]
    ) -> Iterator[tuple[int, list[int]]]:
        """How many rows a block is given, at most so many of each value, and the values that are drawn
        together: what is drawn of one depends on no other."""
        known = {i: min(most[i], len(begun[i])) for i in goes_on}
        for rows in sorted({*known.values()}):
            group = [i for i in goes_on if known[i] == rows]
            for first in range(0, len(group), BATCH_SIZE):
                yield rows, group[first : first + BATCH_SIZE]

    def _longer(
        self,
        whole: Sequence[Tensor],
        begun: Sequence[Tensor],
        group: Sequence[int],
        known: int,
        drawn: Tensor,
    ) -> list[Tensor]:
        """All values, some with a block after what is begun of them; codes that are shared are those of the
        last block."""
        found = [*whole]
        for i, block in zip(group, self._split(drawn), strict=True):
            longer = torch.cat([begun[i][: len(begun[i]) - known], block])
            if self.shape.shared and len(block):
                longer[..., -self.shape.shared :] = block[:1, ..., -self.shape.shared :]
            found[i] = max(whole[i], longer, key=len)
        return found

    def _joined(
        self,
        whole: Sequence[Tensor],
        begun: Sequence[Tensor],
        group: Sequence[int],
        known: int,
        drawn: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        return {self.name: self._join(self._longer(whole, begun, group, known, drawn[self.name]))}

    def _cut(self, codes: Tensor) -> Tensor:
        """A value without what is longer than asked for, to its last position where codes tell the end."""
        found = codes[: self.rows].clone()
        if self._positions and len(found) == self.rows:
            own = 0 if len(found) < len(codes) else int(found[-1, ..., -1].max())
            found[..., -1] = max(own, round(self.beyond * self._positions))
        return found
