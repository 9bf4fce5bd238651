"""The engine: schedule, optimizers over a save, and the naming of what is not finite."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toy_stage import Toy

from modaloom.core.errors import BadValue, WorkFailed
from modaloom.core.types import Loss
from modaloom.runs.checkpoint import Checkpoint, load, save
from modaloom.runs.config import OptimizerConfig
from modaloom.training import accelerator as module
from modaloom.training.accelerator import Accelerator, Optimizers, check_finite

ACCELERATOR = Accelerator("cpu", "fp32")


def batch(step: int) -> dict[str, Tensor]:
    return {"image": torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(step))}


def advance(toy: Toy, optimizers: Optimizers, steps: range) -> None:
    for step in steps:
        noise = torch.Generator().manual_seed(1000 + step)
        ACCELERATOR.step(
            toy, optimizers, batch(step), lambda b, _, n=noise: toy.loss(b, n), lr_scale=0.5, where="here"
        )


def test_muon_takes_the_named_matrices_and_adamw_the_rest() -> None:
    toy = Toy()
    members = ACCELERATOR.optimizer(toy, OptimizerConfig(weight_decay=0.3)).members
    assert [p is toy.hidden.weight for p in members["muon"].param_groups[0]["params"]] == [True]
    groups = members["adamw"].param_groups
    assert {id(p) for g in groups for p in g["params"]} == {id(p) for p in toy.parameters()} - {
        id(toy.hidden.weight)
    }
    assert [(g["weight_decay"], {p.ndim for p in g["params"]}) for g in groups] == [(0.3, {2, 4}), (0.0, {1})]
    assert groups[0]["betas"] == (0.9, 0.95)
    assert members["muon"].param_groups[0]["adjust_lr_fn"] == "match_rms_adamw"


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_kernel_is_the_matrix_of_its_inputs(layout: torch.memory_format) -> None:
    """Muon itself, on (out, in · sides): the same step for the kernel in any memory format."""
    conv = nn.Conv2d(4, 6, 3, bias=False).to(memory_format=layout)
    conv.hidden_matrices = lambda: [conv.weight]  # type: ignore[assignment]
    matrix = nn.Parameter(conv.weight.detach().flatten(1).clone())
    config = OptimizerConfig(matrix_learning_rate=0.1, weight_decay=0.3)
    peer = torch.optim.Muon([matrix], lr=0.05, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    optimizers = ACCELERATOR.optimizer(conv, config)
    for step in range(3):
        matrix.grad = torch.randn(6, 36, generator=torch.Generator().manual_seed(step))
        conv.weight.grad = matrix.grad.view_as(conv.weight).clone()
        optimizers.step(0.5)
        peer.step()
        torch.testing.assert_close(conv.weight.flatten(1), matrix, atol=2e-3, rtol=0)
    optimizers.zero_grad()
    assert conv.weight.grad is None


def test_a_module_without_hidden_matrices_and_frozen_parameters() -> None:
    linear = nn.Linear(3, 3)
    linear.bias.requires_grad_(False)
    members = ACCELERATOR.optimizer(linear, OptimizerConfig()).members
    assert list(members) == ["adamw"]
    assert [p is linear.weight for g in members["adamw"].param_groups for p in g["params"]] == [True]


def test_rates_are_shares_of_the_peaks() -> None:
    toy = Toy()
    optimizers = ACCELERATOR.optimizer(toy, OptimizerConfig(learning_rate=0.1, matrix_learning_rate=0.3))
    advance(toy, optimizers, range(1))
    rates = {name: {g["lr"] for g in o.param_groups} for name, o in optimizers.members.items()}
    assert rates == {"muon": {0.15}, "adamw": {0.05}}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_optimizers_over_a_save(tmp_path: Path, layout: torch.memory_format) -> None:
    """The same bits with and without a save between; also where files change the memory layout."""

    def make() -> tuple[Toy, Optimizers]:
        toy = Toy().to(memory_format=layout)
        toy.conv = nn.Conv2d(1, 4, 3, padding=1).to(memory_format=layout)
        toy.wide = nn.Conv2d(4, 4, 3).to(memory_format=layout)
        nn.init.normal_(toy.conv.weight, generator=torch.Generator().manual_seed(1))
        nn.init.zeros_(toy.conv.bias)
        nn.init.normal_(toy.wide.weight, generator=torch.Generator().manual_seed(2))
        nn.init.zeros_(toy.wide.bias)
        toy.hidden_matrices = lambda: [toy.hidden.weight, toy.wide.weight]  # type: ignore[method-assign]
        plain = toy.loss
        toy.loss = lambda b, n: Loss(  # type: ignore[method-assign]
            plain(b, n).total + toy.wide(toy.conv(b["image"])).square().mean()
        )
        return toy, ACCELERATOR.optimizer(toy, OptimizerConfig(learning_rate=0.05))

    whole, optimizers = make()
    advance(whole, optimizers, range(8))
    toy, optimizers = make()
    advance(toy, optimizers, range(4))
    saved = save(tmp_path, Checkpoint(4, {"w": toy.state_dict(), "o": optimizers.tensors()}))
    toy, optimizers = make()
    tensors = load(saved).tensors
    toy.load_state_dict(dict(tensors["w"]))
    optimizers.load(tensors["o"])
    assert {name.split(".")[0] for name in tensors["o"]} == {"muon", "adamw"}
    advance(toy, optimizers, range(4, 8))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), toy.parameters()))


def test_another_models_optimizer_is_refused() -> None:
    small = ACCELERATOR.optimizer(nn.Linear(2, 2), OptimizerConfig())
    with pytest.raises(LookupError):
        small.load({"adamw.7.step": torch.tensor(1.0)})
    with pytest.raises(LookupError):
        small.load({"muon.0.momentum_buffer": torch.zeros(2, 2)})


def test_gradients_are_clipped() -> None:
    linear = nn.Linear(4, 1, bias=False)
    optimizers = ACCELERATOR.optimizer(linear, OptimizerConfig(max_grad_norm=0.5))
    x = torch.full((1, 4), 10.0)
    result = ACCELERATOR.step(linear, optimizers, x, lambda x, _: Loss(linear(x).sum()), lr_scale=1, where="")
    assert float(result.grad_norm) == pytest.approx(20)
    assert linear.weight.grad is not None
    assert float(linear.weight.grad.norm()) == pytest.approx(0.5, rel=1e-4)


def _input(toy: Toy) -> Tensor:
    return torch.full((5, 1, 4, 4), torch.nan)


def _codebook(toy: Toy) -> Tensor:
    toy.codebook[2, 3] = torch.nan
    return batch(0)["image"]


def _weight(toy: Toy) -> Tensor:
    toy.out.bias.data[1] = torch.inf
    return batch(0)["image"]


@pytest.mark.parametrize(
    ("poison", "name"),
    [(_input, r"the batch\.image"), (_codebook, "the state codebook"), (_weight, r"the state out\.bias")],
)
def test_the_origin_of_nan_is_named(poison: Callable[[Toy], Tensor], name: str) -> None:
    toy = Toy()
    images = poison(toy)
    optimizers = ACCELERATOR.optimizer(toy, OptimizerConfig())
    before = [p.detach().clone() for p in toy.parameters()]
    with pytest.raises(WorkFailed, match=rf"step 3 of x: {name} is not finite"):
        ACCELERATOR.step(
            toy,
            optimizers,
            {"image": images},
            lambda b, _: toy.loss(b, torch.Generator()),
            lr_scale=1.0,
            where="step 3 of x",
        )
    assert all(torch.equal(a, p) for a, p in zip(before, toy.parameters()))


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (lambda w: Loss(w.sum() * torch.nan, {"bits": torch.tensor(torch.nan)}), "the loss part bits"),
        (lambda w: Loss(w.sum() + torch.inf), "the loss"),
        (lambda w: Loss((w * 0).sqrt().sum()), "the gradient of weight"),
        (lambda w: Loss((w[:, :1] * 1e30).square().sum() * 0 + (w * 1e30).sum() * 1e8), "the loss"),
    ],
)
def test_a_loss_or_gradient_that_is_not_finite_is_named(loss: Callable[[Tensor], Loss], name: str) -> None:
    linear = nn.Linear(2, 2, bias=False)
    nn.init.ones_(linear.weight)
    optimizers = ACCELERATOR.optimizer(linear, OptimizerConfig())
    with pytest.raises(WorkFailed, match=f"{name} is not finite"):
        ACCELERATOR.step(linear, optimizers, None, lambda *_: loss(linear.weight), lr_scale=1, where="")
    assert torch.equal(linear.weight, torch.ones(2, 2))


def test_check_finite_names_the_tensor() -> None:
    check_finite({"a": torch.ones(2), "n": torch.tensor(3), "on": torch.tensor(True)}, "here")
    with pytest.raises(WorkFailed, match="here: b holds NaN or infinity"):
        check_finite({"a": torch.ones(2), "b": torch.tensor([1.0, -torch.inf])}, "here")


@dataclass(frozen=True)
class Nested:
    x: Tensor
    name: str


def test_move_keeps_the_structure() -> None:
    x = torch.ones(2)
    moved = ACCELERATOR.move({"a": [Nested(x, "n"), (x, 3)]})
    assert moved == {"a": [Nested(x, "n"), (x, 3)]}
    meta = Accelerator("cpu")
    meta.device = torch.device("meta")
    moved = meta.move({"a": [Nested(x, "n"), (x, 3)]})
    assert moved["a"][0].x.device == moved["a"][1][0].device == torch.device("meta")


def test_devices_and_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadValue, match=r"unknown device 'gpu'.*cuda"):
        Accelerator("gpu")
    with pytest.raises(BadValue, match="did you mean 'bf16'"):
        Accelerator("cpu", "bf61")
    monkeypatch.setitem(module.DEVICES, "cuda", lambda: False)
    monkeypatch.setitem(module.DEVICES, "mps", lambda: False)
    with pytest.raises(BadValue, match=r"cuda is not available.*--device auto"):
        Accelerator("cuda")
    assert Accelerator("auto").device == torch.device("cpu")


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_autocast(precision: str, dtype: torch.dtype) -> None:
    with Accelerator("cpu", precision).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
