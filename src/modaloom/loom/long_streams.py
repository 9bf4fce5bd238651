"""Values longer than those that a model was trained on, block by block: each goes on from the end of the one
before."""

import math
from collections.abc import Callable, Mapping, Sequence
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
from modaloom.loom.model import Model
from modaloom.modalities import MODALITIES
from modaloom.tokenizers.lengths import join_lengths, split_lengths
from modaloom.tokenizers.spans import TOLERANCE

Draw = Callable[..., Frames[dict[str, Tensor]]]
"""(given codes, n, seed, names, options) → frames of codes, as `Model.stream`."""
OVERLAP = 0.5
"""How much of a block is the end of the one before."""


def drawing(
    model: Model, want: Sequence[str], kept: Mapping[str, Tensor] = NOTHING, length: float | None = None
) -> Draw:
    """What draws the streams `want`: whole or, of a `length`, one of them by blocks.

    Raises `BadValue` as `LongStream.of`, and for parts that are kept of a value that goes on.
    """
    if length is None:
        return partial(model.stream, want=want, kept=kept)
    if kept:
        raise BadValue("a value of a length goes on from all that is given of it; leave out keep")
    return LongStream.of(model, want, length).stream


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
    def of(cls, model: Model, want: Sequence[str], length: float) -> "LongStream":
        """A wanted stream of this length, in the unit of `Tokenizer.step`.

        Raises `BadValue` where several are wanted, for streams without a length, and for a length that is
        drawn at once.
        """
        if len(want) != 1:
            raise BadValue(f"a length is of one stream; {', '.join(want) or 'nothing'} is wanted")
        name = check_choice("stream to want", want[0], model.wanted)
        tokenizer, modality = model.streams[name].tokenizer, model.streams[name].modality
        if MODALITIES[modality].length is None:
            raise BadValue(f"{name} has no length: values of {modality} do not go on; leave length out")
        most = tokenizer.shape.grid[0] * tokenizer.step
        if not most < length < math.inf:
            raise BadValue(f"length is {length:g}; {name} is drawn whole up to {most:g}, give more")
        rows = math.ceil(length / tokenizer.step - TOLERANCE)
        return cls(model, name, rows, rows - length / tokenizer.step)

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

        A value of variable length may end before it is as long as asked for.

        Args:
            given: stream → int64 codes (n, L, Q).
            n, seed, names, options: as in `Model.stream`.

        Returns:
            Frames whose result is stream → int64 codes (n, L, Q), L as the longest value needs.
        """
        whole = self._split(given[self.name]) if self.name in given else [self._nothing()] * n
        others = {name: codes for name, codes in given.items() if name != self.name}
        goes_on, step, total = [*range(n)], 0, self.num_steps([self.name], options, given)
        shown: Frame[dict[str, Tensor]] | None = None
        for block in count():
            known = min(self.overlap, *(len(whole[i]) for i in goes_on))
            request = {name: codes[goes_on] for name, codes in others.items()} | self._tails(
                [whole[i] for i in goes_on], known
            )
            places = torch.arange(self.shape.num_positions) < known * self.shape.row_size
            frames = self.model.stream(
                request,
                [self.name],
                n=len(goes_on),
                seed=derive(seed, "block", block) if block else seed,
                names=[names[i] for i in goes_on],
                options=options,
                kept={self.name: places} if known else {},
            )
            for frame in frames:
                if shown is not None:
                    yield shown
                step += 1
                shown = replace(
                    frame.map(partial(self._joined, [*whole], [*goes_on], known)),
                    step=step,
                    total=max(step, total),
                )
                shown = replace(shown, result=None)
            assert frame.result is not None
            before, whole = whole, self._longer(whole, goes_on, known, frame.result[self.name])
            goes_on = [i for i in goes_on if len(before[i]) < len(whole[i]) < self.rows]
            if not goes_on:
                break
        assert shown is not None
        yield replace(shown, total=step, result={self.name: self._join([self._cut(one) for one in whole])})

    def _nothing(self) -> Tensor:
        return torch.zeros(0, *self.shape.grid[1:], self.shape.depth, dtype=torch.int64)

    def _split(self, codes: Tensor) -> list[Tensor]:
        """Codes (n, L, Q) → n tensors (rows, *rest, Q)."""
        grid = self.shape.on_grid(codes)
        return split_lengths(grid, self.shape) if self.shape.variable else [*grid]

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

    def _longer(
        self, whole: Sequence[Tensor], goes_on: Sequence[int], known: int, drawn: Tensor
    ) -> list[Tensor]:
        """All values, some with a block after them; codes that are shared are those of the last block."""
        found = [*whole]
        for i, block in zip(goes_on, self._split(drawn), strict=True):
            found[i] = torch.cat([whole[i][: len(whole[i]) - known], block])
            if self.shape.shared and len(block):
                found[i][..., -self.shape.shared :] = block[:1, ..., -self.shape.shared :]
        return found

    def _joined(
        self, whole: Sequence[Tensor], goes_on: Sequence[int], known: int, drawn: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        return {self.name: self._join(self._longer(whole, goes_on, known, drawn[self.name]))}

    def _cut(self, codes: Tensor) -> Tensor:
        """A value without what is longer than asked for, to its last position where codes tell the end."""
        files, found = self.model.streams[self.name].tokenizer.files, codes[: self.rows].clone()
        if files is not None and files.exact and len(found) == self.rows:
            own = 0 if len(found) < len(codes) else int(found[-1, ..., -1].max())
            found[..., -1] = max(own, round(self.beyond * files.strides[0]))
        return found
