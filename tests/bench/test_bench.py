"""The figures about modaloom itself: measured right, printed whole."""

import math

import pytest
import torch

from modaloom import api
from modaloom.bench import BENCHES, BenchmarkResult, discrete, quantizer, restore
from modaloom.bench.clock import milliseconds, one_thread, peak_megabytes
from modaloom.core.errors import BadValue
from modaloom.diffusion.schedules import SCHEDULES
from modaloom.networks.unet import UNetConfig

CPU = torch.device("cpu")
KEYS = ["case", "ours", "peer", "ratio", "limit", "unit"]


def test_ratio_is_how_many_times_better() -> None:
    assert BenchmarkResult("a", 2.0, 6.0, None, "ms").ratio == 3
    assert BenchmarkResult("a", 2.0, None, 1.0, "ms").ratio is None
    assert BenchmarkResult("a", 0.0, 6.0, None, "MB").ratio is None
    assert list(BenchmarkResult("a", 2.0, 6.0, None, "ms").to_dict()) == [
        "case",
        "ours",
        "peer",
        "ratio",
        "limit",
        "unit",
    ]


def test_calls_take_turns_and_the_first_is_not_counted() -> None:
    order: list[str] = []
    taken = milliseconds({name: lambda name=name: order.append(name) for name in "ab"}, CPU, repeats=3)
    assert order == list("ab") * 4
    assert all(0 <= value < 1000 for value in taken.values())


def test_more_work_takes_longer() -> None:
    x = torch.zeros(2_000_000)
    taken = milliseconds({"once": lambda: x.exp(), "often": lambda: [x.exp() for _ in range(20)]}, CPU)
    assert taken["often"] > 5 * taken["once"]


def test_peak_is_that_of_the_call_alone() -> None:
    kept = torch.zeros(1_000_000)
    assert peak_megabytes(lambda: torch.zeros(2_500_000) + 1, CPU) == pytest.approx(20, rel=1e-4)
    assert peak_megabytes(lambda: [(kept + 1).sum() for _ in range(5)], CPU) == pytest.approx(4, rel=1e-4)


def test_one_thread_is_given_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantizer, "N", 64)
    monkeypatch.setattr(quantizer, "SIZES", ((8, 32),))
    monkeypatch.setattr(quantizer, "HUGE", 512)


@pytest.mark.usefixtures("small")
def test_quantizer_beside_its_peer() -> None:
    pytest.importorskip("vector_quantize_pytorch")
    found = {case.case: case for case in api.bench("quantizer", device="cpu")}
    assert found["codes equal to the peer's, N=64 D=8 K=32 float32"].ours == 1
    for verb in ("lookup", "training forward"):
        case = found[f"{verb}, N=64 D=8 K=32 float32"]
        assert case.unit == "ms"
        assert case.ratio is not None
        assert 0 < case.ours < math.inf


def test_without_the_peer_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vector_quantize_pytorch", None)
    with pytest.raises(BadValue, match=r"modaloom\[peers\]"):
        list(BENCHES["quantizer"](CPU))


def test_an_unknown_benchmark_names_the_near_miss() -> None:
    with pytest.raises(BadValue, match="did you mean 'quantizer'"):
        api.bench("quantiser")


def test_discrete_is_within_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds of both processes; of the samplers the two that need few steps."""
    few = [("top_probability", "masked"), ("first_hitting", "masked")]
    monkeypatch.setattr(discrete, "EXACT", few)
    found = list(api.bench("discrete", device="cpu"))
    assert len(found) == 2 * len(SCHEDULES) + len(few)
    assert all(case.limit is not None and case.ours <= case.limit for case in found)
    assert any(case.ours > 0 for case in found)


def test_restore_beside_its_peer_and_its_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("diffusers")
    monkeypatch.setattr(restore, "CONFIG", UNetConfig((8, 16), groups=4))
    monkeypatch.setattr(restore, "SIDE", 16)
    first, *timed = api.bench("restore", device="cpu")
    assert first.ours < 1e-4
    assert len(timed) == 4
    for case, share in zip(timed[::2], timed[1::2]):
        assert (case.unit, share.unit) == ("ms", "share")
        assert case.ratio is not None
        assert share.ours == case.limit / case.ours


def test_restore_without_its_peer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(BadValue, match=r"modaloom\[oracles\]"):
        list(BENCHES["restore"](CPU))


def test_the_limit_of_restore_is_its_convolutions_and_no_more() -> None:
    net = UNetConfig((8, 16), groups=4)
    ours, _ = restore.twins(net, 3)
    asked = torch.randn(2, 3, 16, 16), torch.rand(2)
    outputs = restore._convolutions(ours, asked)(*asked)
    layers = [layer for layer in ours.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(outputs) == len(layers)
    assert torch.equal(outputs[0], ours.first(asked[0]))
