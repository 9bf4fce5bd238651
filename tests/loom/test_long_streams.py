"""Values that go on block by block.

Oracle: a model that counts. A block goes on from the last number that it is given, or begins at the first
sample's number, and what is drawn of a value must be numbers without a gap.
"""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.core.frame import Frame, finished
from modaloom.core.rng import derive
from modaloom.core.types import CodeShape
from modaloom.loom.canvas import NOTHING
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.long_streams import LongStream, drawing
from modaloom.tokenizers.lengths import split_lengths

STEPS, TRAINED = 3, 6


class Counting:
    """Draws 100 · name, then one more at every row, in blocks of as many rows as there may be, or are said.

    `first` says how many rows the first block of a name has, `ends` how many a call draws.
    """

    wanted = ("clip", "voice")

    def __init__(
        self,
        *,
        variable: bool = False,
        row: int = 1,
        shared: int = 0,
        exact: bool = False,
        rows: int = TRAINED,
        partial: float = 0,
        usual: int = 0,
    ) -> None:
        grid = (rows, row) if row > 1 else (rows,)
        self.shape = CodeShape(grid, 1 + shared, 10_000, shared, variable)
        files, extent = SimpleNamespace(exact=exact, strides=(4,)), (0.5 * rows - partial, 0.5)
        whole = SimpleNamespace(seconds=extent[0])
        tokenizer = SimpleNamespace(
            shape=self.shape,
            extent=extent,
            files=files,
            encode=list,
            decode=lambda codes: [whole],
            shortened=lambda value: (),
            rows=lambda codes: split_lengths(codes, self.shape) if variable else [*codes],
        )
        stream = SimpleNamespace(tokenizer=tokenizer, modality="video")
        self.streams = dict.fromkeys(self.wanted, stream)
        self.asked: list[dict[str, Any]] = []
        self.usual = usual or rows
        """Rows of a block that is given fewer."""
        self.first: dict[int, int] = {}
        self.ends: dict[int, int] = {}

    def num_steps(self, want: Any, options: Any) -> int:
        return STEPS

    def stream(
        self,
        given: Any,
        want: Any,
        *,
        n: int,
        seed: int,
        names: Any,
        options: Any,
        kept: Any,
        strength: Any = NOTHING,
    ) -> Any:
        call = len(self.asked)
        self.asked.append({"seed": seed, "names": [*names], "kept": kept, "given": given})
        codes = torch.full((n, self.shape.grid[0], self.shape.row_size, self.shape.depth), self.shape.padding)
        known = int(kept["clip"].sum()) // self.shape.row_size if kept else 0
        for i, name in enumerate(names):
            rows = self.ends.get(call, max(known, self.usual))
            rows = rows if known else self.first.get(name, rows)
            tail = given["clip"].reshape(codes.shape)[i, :known, :, :1] if known else codes[i, :0, :, :1]
            first = 1 + int(tail[-1, 0, 0]) if known else 100 * name
            new = torch.arange(first, first + max(0, rows - known))
            codes[i, :known, :, :1] = tail
            codes[i, known:rows, :, :1] = new[:, None, None]
            codes[i, : max(known, rows), :, 1:] = 1 + call
        found = {"clip": codes.flatten(1, 2)}
        for step in range(1, STEPS + 1):
            yield Frame(step, STEPS, lambda: found, found if step == STEPS else None, "clip")


def drawn(model: Any, length: float, n: int = 2, **given: Any) -> Any:
    long = LongStream.of(model, ["clip"], length)
    assert long is not None
    return [*long.stream(given, n=n, seed=7, names=range(n), options=CodeSamplingConfig())]


@pytest.mark.parametrize("row", [1, 3])
@pytest.mark.parametrize("length", [3.5, 4.0, 7.0, 7.4])
def test_blocks_go_on_from_the_end_of_the_one_before(length: float, row: int) -> None:
    model = Counting(row=row)
    frames = drawn(model, length)
    (codes,) = frames[-1].result.values()
    rows = -(-length // 0.5)
    assert codes.shape == (2, rows * row, 1)
    for i, own in enumerate(codes):
        assert own.reshape(-1, row)[:, 0].tolist() == [*range(100 * i, 100 * i + int(rows))]
    assert [one.result is None for one in frames] == [True] * (len(frames) - 1) + [False]
    assert [one.step for one in frames] == [*range(1, len(frames) + 1)]
    assert {one.total for one in frames} == {len(frames)}
    seeds = [one["seed"] for one in model.asked]
    assert seeds == [7, *(derive(7, "block", i) for i in range(1, len(seeds)))]


def test_a_given_value_goes_on_and_others_stay_as_they_are() -> None:
    model = Counting()
    value = torch.arange(40, 46).reshape(1, 6, 1)
    other = torch.ones(1, 2, 1)
    frames = drawn(model, 5.0, n=1, clip=value, other=other)
    assert frames[-1].result["clip"].flatten().tolist() == [*range(40, 50)]
    assert all(torch.equal(one["given"]["other"], other) for one in model.asked)
    assert int(model.asked[0]["kept"]["clip"].sum()) == 3
    assert frames[0].total == len(frames)


def test_blocks_of_one_row_are_drawn_each_by_itself() -> None:
    model = Counting(rows=1)
    (codes,) = drawn(model, 2.0)[-1].result.values()
    assert codes[1, :, 0].tolist() == [100] * 4
    assert not any(one["kept"] for one in model.asked)


def test_rows_that_reach_past_the_end_of_a_block_are_drawn_anew() -> None:
    """Six codes of half a second of a value of 2.9: the last one has what is repeated after the end."""
    (codes,) = drawn(Counting(partial=0.1), 6.0)[-1].result.values()
    assert codes[0].flatten().tolist() == [*range(12)]


def test_what_is_drawn_of_a_value_depends_on_no_other() -> None:
    model = Counting(variable=True)
    model.first = {0: 6, 1: 2, 2: 6}
    (codes,) = drawn(model, 6.0, n=3)[-1].result.values()
    alone = Counting(variable=True)
    (one,) = drawn(alone, 6.0, n=1)[-1].result.values()
    assert torch.equal(codes[0], one[0])
    assert codes[..., 0].tolist() == [[*range(100 * i, 100 * i + 12)] for i in range(3)]
    known = [(one["names"], int(one["kept"]["clip"].sum())) for one in model.asked[1:3]]
    assert known == [([1], 1), ([0, 2], 3)], "a short one takes nothing from the others"


def test_many_are_drawn_in_batches_with_previews_of_all() -> None:
    frames = drawn(Counting(), 4.0, n=70)
    assert frames[-1].result["clip"].shape == (70, 8, 1)
    assert all(len(frame.preview()["clip"]) == 70 for frame in frames)


def test_a_preview_is_all_that_there_is() -> None:
    frames = drawn(Counting(), 6.0)
    assert [one.preview()["clip"].shape[1] for one in frames] == [6] * 3 + [9] * 3 + [12] * 3


def test_what_is_shared_is_that_of_the_last_block() -> None:
    (codes,) = drawn(Counting(shared=1), 6.0)[-1].result.values()
    assert set(codes[..., 1].flatten().tolist()) == {3}


def test_a_value_of_variable_length_may_end_before() -> None:
    model = Counting(variable=True, shared=1, exact=True)
    model.ends = {1: 5}
    (codes,) = drawn(model, 30.0)[-1].result.values()
    assert codes.shape[1] > 7
    model = Counting(variable=True, shared=1, exact=True)
    model.ends = {1: 3}
    (codes,) = drawn(model, 30.0)[-1].result.values()
    assert codes[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert set(codes[..., 1].flatten().tolist()) == {1}, "what adds nothing changes nothing"


@pytest.mark.parametrize("given", [0, 3, 4, 6, 12])
def test_values_that_are_short_of_what_their_codes_hold_go_on(given: int) -> None:
    """As windows of prose, of 4 tokens where 12 are the most: half of 12 would leave no room for more."""
    model = Counting(variable=True, shared=1, exact=True, rows=12, usual=4)
    value = torch.full((1, 12, 1, 2), model.shape.padding)
    value[0, :given, 0] = torch.tensor([[i, 0] for i in range(given)]).reshape(given, 2)
    (codes,) = drawn(model, 10.0, n=1, **({"clip": value.flatten(1, 2)} if given else {}))[-1].result.values()
    assert codes[0, :, 0].tolist() == [*range(20)]
    assert len(model.asked) < 20


@pytest.mark.parametrize(("length", "beyond"), [(3.5, 0), (3.25, 2), (3.125, 3), (4.5, 0), (5.0, 3)])
def test_a_value_ends_where_it_should(length: float, beyond: int) -> None:
    """Its last code says how many of its four positions are beyond the end; 10 rows end with the third block,
    which says 3."""
    model = Counting(variable=True, shared=1, exact=True)
    (codes,) = drawn(model, length)[-1].result.values()
    assert codes[0, :, 0].tolist() == [*range(int(-(-length // 0.5)))]
    assert set(codes[..., 1].flatten().tolist()) == {beyond}


@pytest.mark.parametrize("length", [0.0, 3.0, -1.0, float("nan"), float("inf")])
def test_what_is_drawn_at_once_has_no_length(length: float) -> None:
    with pytest.raises(BadValue, match="drawn whole up to 3"):
        LongStream.of(Counting(), ["clip"], length)


def test_a_value_that_a_fixed_length_fills_up_does_not_go_on() -> None:
    """What follows its end is no part of it."""
    short, whole = ({"clip": SimpleNamespace(seconds=seconds)} for seconds in (2.9, 3.0))
    with pytest.raises(BadValue, match=r"is 2\.9 s long; what goes on here is at least 3 s"):
        LongStream.of(Counting(), ["clip"], 9.0, short)
    assert LongStream.of(Counting(), ["clip"], 9.0, whole)
    assert LongStream.of(Counting(variable=True), ["clip"], 9.0, short)


def test_one_wanted_stream_is_long() -> None:
    for want in ([], ["clip", "voice"]):
        with pytest.raises(BadValue, match="of one stream"):
            LongStream.of(Counting(), want, 9.0)
    with pytest.raises(BadValue, match="missing"):
        LongStream.of(Counting(), ["missing"], 9.0)
    with pytest.raises(BadValue, match="leave out keep"):
        LongStream.of(Counting(), ["clip"], 9.0, kept={"clip": torch.ones(6)})


def test_without_a_length_it_is_the_model() -> None:
    model = Counting()
    frames = drawing(model, ["clip"], {}, LongStream.of(model, ["clip"], None))(
        {}, n=1, seed=0, names=[0], options=CodeSamplingConfig()
    )
    assert finished(frames)["clip"].flatten().tolist() == [*range(6)]
