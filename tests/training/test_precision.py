"""Precision by measurement, and that nothing multiplies bfloat16 where it is slow."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from toy_stage import config, plans

from modaloom.core import precision
from modaloom.quantizers.nearest import nearest
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.stages import run_stages


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """The answer is kept for a process; here it is measured anew."""
    precision.fast_bf16.cache_clear()
    yield
    precision.fast_bf16.cache_clear()


class Halves(TorchDispatchMode):
    """Counts operations on bfloat16 by name."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if any(isinstance(a, Tensor) and a.dtype == torch.bfloat16 for a in args):
            self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("slower", "there"), [(0.3, True), (3.0, False), (80.0, False)])
def test_auto_is_what_the_clock_says(monkeypatch: pytest.MonkeyPatch, slower: float, there: bool) -> None:
    """A busy moment makes single products slow; the quickest of each kind decides."""
    calls: list[torch.dtype] = []

    def seconds(matrix: Tensor) -> float:
        calls.append(matrix.dtype)
        busy = 50.0 if len(calls) % 5 == 0 else 1.0
        return 0.01 * busy * (slower if matrix.dtype == torch.bfloat16 else 1.0)

    monkeypatch.setattr(precision, "_seconds", seconds)
    accelerator = Accelerator("cpu")
    assert accelerator.bf16 is there
    assert accelerator.precision == ("bf16" if there else "fp32")
    assert len(calls) == (2 if slower == 80 else 2 + 2 * precision.ROUNDS)
    assert calls[0] != calls[1]
    assert Accelerator("cpu").bf16 is there
    assert len(calls) <= 2 + 2 * precision.ROUNDS


def test_the_probe_multiplies_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with Halves() as halves, torch.autocast("cpu", torch.bfloat16):
        assert precision.bf16_time_ratio() > 0
    assert set(halves.seen) >= {"aten.mm.default"}


def test_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert precision.fast_bf16("mps") is False
    for there in (True, False):
        precision.fast_bf16.cache_clear()
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda there=there, **_: there)
        assert precision.fast_bf16("cuda") is there


@pytest.mark.parametrize("fast", [True, False])
def test_a_training_is_bfloat16_throughout_or_nowhere(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """The toy has hidden matrices for Muon; its steps and its configuration say which it was."""
    monkeypatch.setattr(precision, "bf16_time_ratio", lambda: 0.5 if fast else 2.0)
    with RunFolder.create(tmp_path, config(steps=3)) as folder:
        assert folder.run().training.precision == "auto"
        with Halves() as halves:
            list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))
        assert folder.run().training.precision == ("bf16" if fast else "fp32")
    assert bool(halves.seen) is fast
    assert ("aten.addmm.default" in halves.seen) is fast


def test_a_resumed_training_keeps_its_precision(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bf16_time_ratio", lambda: 2.0)
    with RunFolder.create(tmp_path, config(steps=2)) as folder:
        list(run_stages(plans(), folder, Accelerator("cpu"), notify=print))
        assert Accelerator("cpu", folder.run().training.precision).bf16 is False


@pytest.mark.parametrize("fast", [True, False])
def test_the_shortlist_of_codes_too(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(precision, "bf16_time_ratio", lambda: 0.5 if fast else 2.0)
    z, e = (torch.randn(300, 256, generator=torch.Generator().manual_seed(i)) for i in range(2))
    with Halves() as halves:
        found = nearest(z, e)
    assert bool(halves.seen) is fast
    assert torch.equal(found, torch.cdist(z, e).argmin(1))
