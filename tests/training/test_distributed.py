"""Two processes on a part of each batch reach what one process reaches on all of it.

Every case is a function of a `Distributed`, called here with one process (the oracle) and in two.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from two_ranks import Ranks

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import BadValue, RankZeroStopped, WorkFailed
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.data.folder import open_folder
from modaloom.loom.config import LoomRunConfig, TrainingMixture
from modaloom.loom.trainer import LoomTrainer
from modaloom.networks.local_resnet import LocalResNetConfig
from modaloom.networks.unet import UNetConfig
from modaloom.quantizers import QUANTIZERS, GrowthConfig, QuantizerConfig, assemble
from modaloom.recipes.demo import DemoWorld, demo
from modaloom.restorer.config import RestorerConfig, RestorerRunConfig
from modaloom.restorer.trainer import RestorerTrainer
from modaloom.runs.config import DataConfig, OptimizerConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage, Training
from modaloom.training.process_group import process_group
from modaloom.world.write import write_world

Tensors = dict[str, Tensor]
STEPS = 3


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranks]:
    with Ranks(tmp_path_factory.mktemp("ranks")) as made:
        yield made


def assert_like_one_process(ranks: Ranks, case: Callable[..., Tensors], *args: Any) -> Tensors:
    """Both processes end with the same bits, which are those of one process to 1e-5; returns the latter."""
    expected = case(*args, SINGLE_PROCESS)
    first, second = ranks.call(case, *args)
    assert expected.keys() == first.keys() == second.keys()
    for name, value in expected.items():
        assert torch.equal(first[name].nan_to_num(), second[name].nan_to_num()), name
        torch.testing.assert_close(
            first[name], value, atol=1e-5, rtol=1e-5, equal_nan=True, msg=lambda m, n=name: f"{n}: {m}"
        )
    return expected


# The operations


HALVES = torch.tensor([1000, 1000, 1004, -752, -752, -752, -752], dtype=torch.bfloat16)
"""Their sum is -4; that of the first three, 3004, lies between two numbers of this type."""


def operations(distributed: Distributed) -> dict[str, Any]:
    """Rank 0 has the rows 0, 1, 2 and rank 1 the rows 3, 4, 5, 6 of (7, 2) squares; one process has all."""
    every = torch.arange(14.0).reshape(7, 2).square()
    own = distributed.split(7)
    rows = own.own(every).clone().requires_grad_()
    loss = distributed.sum(rows.square().sum()) + 10 * distributed.mean(rows).sum()
    loss.backward()
    weight, unused, rare = (nn.Parameter(torch.ones(2, 3)) for _ in range(3))
    weight.grad = torch.full((2, 3), float(own.n))
    rare.grad = torch.ones(2, 3) if distributed.rank == 0 else None
    distributed.sum_gradients([weight, unused, rare])
    distributed.barrier()
    return {
        "rows": distributed.rows(own.n),
        "sum": loss.detach(),
        "gradient": rows.grad,
        "gathered": distributed.gather(rows),
        "no rows here": distributed.gather(rows[: own.n if distributed.rank else 0]),
        "bfloat16": distributed.mean(own.own(HALVES)),
        "broadcast": distributed.broadcast(rows.detach()[0]),
        "all": [distributed.all(True), distributed.all(distributed.rank == 0)],
        "any": [distributed.any(False), distributed.any(distributed.rank == 0)],
        "shared": distributed.share({"größer": [1, distributed.rank / 2]}),
        "gradients": [weight.grad, unused.grad, rare.grad],
    }


def test_each_operation(ranks: Ranks) -> None:
    alone, (first, second) = operations(SINGLE_PROCESS), ranks.call(operations)
    assert [first["rows"], second["rows"]] == [Rows(0, 3, 7), Rows(3, 4, 7)]
    torch.testing.assert_close(torch.cat([first["gradient"], second["gradient"]]), alone["gradient"])
    for found in (first, second):
        torch.testing.assert_close(found["sum"], alone["sum"])
        assert torch.equal(found["gathered"], alone["gathered"])
        assert torch.equal(found["no rows here"], alone["gathered"][3:])
        torch.testing.assert_close(found["bfloat16"], alone["bfloat16"])
        assert torch.equal(found["broadcast"], alone["gathered"][0])
        assert found["all"] == [True, False]
        assert found["any"] == [False, True]
        assert found["shared"] == {"größer": [1, 0.0]}
        weight, unused, rare = found["gradients"]
        assert torch.equal(weight, torch.full((2, 3), 7.0))
        assert unused is None
        assert torch.equal(rare, torch.ones(2, 3))


def take_turns(file: Path, distributed: Distributed) -> list[str]:
    """Rank 0 works for longer than a rank is waited for; the words of both, in the order of their turns."""
    with distributed.first():
        time.sleep(0 if distributed.rank else 1.5)
        file.write_text(f"{file.read_text() if file.exists() else ''}{distributed.rank} ")
    distributed.barrier()
    return file.read_text().split()


def take_long_turns(file: Path, distributed: Distributed) -> list[str]:
    """The other rank works for longer than it is waited for."""
    with distributed.in_turn():
        time.sleep(1.5 * distributed.rank)
        file.write_text(f"{file.read_text() if file.exists() else ''}{distributed.rank} ")
    return file.read_text().split()


def fail_second(distributed: Distributed) -> None:
    with distributed.in_turn():
        if distributed.rank:
            raise KeyError("of rank 1")


def fail_first(distributed: Distributed) -> None:
    with distributed.first():
        raise KeyError("of rank 0")


def test_rank_0_goes_first_however_long_it_works(tmp_path: Path) -> None:
    with Ranks(tmp_path, seconds=1) as pair:
        assert pair.call(take_turns, tmp_path / "turns") == [["0", "1"]] * 2
        first, second = pair.results(fail_first)
    assert isinstance(first, KeyError)
    assert isinstance(second, RankZeroStopped)


def test_all_wait_for_the_last_however_long_it_works(tmp_path: Path) -> None:
    with Ranks(tmp_path, seconds=1) as pair:
        assert pair.call(take_long_turns, tmp_path / "turns") == [["0", "1"]] * 2
        first, second = pair.results(fail_second)
    assert isinstance(first, WorkFailed)
    assert isinstance(second, KeyError)


def test_one_process_changes_nothing() -> None:
    """Every operation returns its argument, without a copy."""
    x = torch.ones(3, 2)
    for returned in (SINGLE_PROCESS.sum(x), SINGLE_PROCESS.gather(x), SINGLE_PROCESS.broadcast(x)):
        assert returned is x
    assert SINGLE_PROCESS.split(3) == SINGLE_PROCESS.rows(3) == Rows(0, 3, 3)
    assert SINGLE_PROCESS.rows(3).own(x) is x
    linear = nn.Linear(2, 2)
    linear(x).sum().backward()
    before = linear.weight.grad
    SINGLE_PROCESS.sum_gradients([linear.weight])
    assert linear.weight.grad is before


# Quantizers

DIM = 6
GROWTH = GrowthConfig(initial_codes=3, doubling_steps=1, target_distortion=0.01, error_weight=0.5)
DYING = QuantizerConfig(decay=0.3, dead_code_threshold=1.0, max_restart_fraction=0.5)
"""Codes die and restart in every step."""

QUANTIZED: dict[str, tuple[str, int, int, QuantizerConfig]] = {
    "vq": ("vq", 12, 1, QuantizerConfig(commitment=0.5)),
    "residual": ("vq", 12, 3, QuantizerConfig()),
    "restarts": ("vq", 12, 2, DYING),
    "gradient": ("vq", 12, 2, replace(DYING, codebook="gradient")),
    "sphere": ("vq", 12, 2, replace(DYING, codebook="sphere", normalize=True)),
    "sim": ("vq", 12, 2, QuantizerConfig(codebook="sim")),
    "growing": ("vq", 12, 2, replace(DYING, growth=GROWTH)),
    "growing gradient": ("vq", 12, 1, QuantizerConfig(growth=GROWTH, codebook="gradient")),
    "rotation": ("vq", 12, 2, QuantizerConfig(gradient_estimator="rotation")),
    "projected": ("vq", 12, 2, QuantizerConfig(codebook_dim=3, normalize=True)),
    "groups": ("vq", 12, 2, QuantizerConfig(groups=2)),
    "dropout": ("vq", 12, 3, replace(DYING, dropout=0.7)),
    "beams": ("vq", 12, 3, QuantizerConfig(beam_width=4)),
    "adaptive": ("vq", 12, 3, QuantizerConfig(adaptive_distortion=0.2)),
    "fsq": ("fsq", 12, 2, QuantizerConfig(levels=(4, 3))),
    "lfq": ("lfq", 16, 2, QuantizerConfig(entropy=0.5, temperature=0.5)),
    "bsq": ("bsq", 16, 2, QuantizerConfig(decay=0.5, dropout=0.5)),
}
"""Name → quantizer, codebook size, depth, options."""


def test_every_quantizer_and_every_option_has_a_case() -> None:
    assert {name for name, *_ in QUANTIZED.values()} == {*QUANTIZERS}
    changed = set().union(*(options.changed() for *_, options in QUANTIZED.values()))
    assert changed == {field.name for field in fields(QuantizerConfig)}


class Bottleneck(nn.Module):
    """Linear maps around a quantizer; one matrix is Muon's."""

    def __init__(self, case: str) -> None:
        super().__init__()
        name, size, depth, options = QUANTIZED[case]
        torch.manual_seed(0)
        self.encoder, self.decoder = nn.Linear(5, DIM), nn.Linear(DIM, 5)
        self.quantizer = assemble(name, DIM, size, depth, options)

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [self.encoder.weight]

    def loss(self, x: Tensor, mask: Tensor, noise: torch.Generator, distributed: Distributed) -> Loss:
        out = self.quantizer(self.encoder(x), mask=mask, generator=noise, distributed=distributed)
        error = ((self.decoder(out.z_q) - x).square().mean(2) * mask).mean(1)
        return Loss(distributed.mean(error) + out.loss, out.stats)


def trained(training: Training) -> Tensors:
    """Weights, buffers, averages, and what every step reports."""
    found: Tensors = {}
    for step in range(STEPS):
        result = training.advance()
        reported = {"loss": result.loss.total, "norm": result.grad_norm, **result.loss.parts}
        found |= {f"{name} of step {step}": value for name, value in reported.items()}
    found |= {f"weight {name}": t.detach() for name, t in training.stage.module.state_dict().items()}
    return found | {f"average {name}": t for name, t in training.ema.tensors.items()}


def begin(stage: Stage, distributed: Distributed) -> Training:
    accelerator = Accelerator("cpu", "fp32", distributed)
    return Training(stage, accelerator, trapezoid(STEPS, warmup=0.05, decay=0.5), seed=0, ema=0.9)


def train_quantizer(case: str, kept: float, micro_batches: int, distributed: Distributed) -> Tensors:
    """Batches of 7 samples of 40 vectors, of which a fraction is not masked, in so many micro-batches.

    Codebooks start on other samples: at the means of its own, the gradient would be that of rounding alone,
    and Adam makes steps of one size of it.
    """
    module, order = Bottleneck(case), BatchSampler(30, 7, 0, case, distributed)
    data = torch.randn(30, 40, 5, generator=generator(0, "data"))
    mask = torch.rand(30, 40, generator=generator(0, "mask")) < kept
    start = distributed.split(9).own(torch.randn(9, 40, 5, generator=generator(0, "start")))
    counted = torch.ones(start.shape[:2], dtype=torch.bool)
    module.train().loss(start, counted, generator(0, "start"), distributed)
    stage = Stage(
        case,
        module,
        lambda step: (data[order(step)], mask[order(step)]),
        lambda batch, noise, ranks: module.loss(*batch, noise, ranks),
        OptimizerConfig(
            learning_rate=0.01,
            matrix_learning_rate=0.01,
            max_grad_norm=0.5,
            accumulation_steps=micro_batches,
        ),
        order.size,
    )
    return trained(begin(stage, distributed))


@pytest.mark.parametrize("case", QUANTIZED)
def test_quantizers(ranks: Ranks, case: str) -> None:
    expected = assert_like_one_process(ranks, train_quantizer, case, 0.75, 1)
    assert expected["norm of step 0"] > 0.5  # gradients are clipped


def quantize_badly(case: str, distributed: Distributed) -> Tensors:
    """A batch that only rank 0 has counted vectors of, then one with NaN in the last sample."""
    module = Bottleneck(case).train()
    x = torch.randn(7, 40, 5, generator=generator(0, "data"))
    nan, rows = x.clone(), distributed.split(len(x))
    nan[-1, 3, 2] = torch.nan
    mask = torch.ones(7, 40, dtype=torch.bool)
    first = mask & (torch.arange(7) < 2)[:, None]
    found: Tensors = {}
    for name, values, counts in (("few", x, first), ("all", x, mask), ("NaN", nan, mask)):
        loss = module.loss(rows.own(values), rows.own(counts), generator(0, name), distributed)
        found |= {f"{name} {part}": value for part, value in loss.parts.items()}
        found |= {f"{name} {key}": t.clone() for key, t in module.state_dict().items()}
    assert loss.total.isnan()
    return {name: t.detach() for name, t in found.items()}


@pytest.mark.parametrize("case", QUANTIZED)
def test_vectors_that_are_masked_or_not_finite_in_one_process(ranks: Ranks, case: str) -> None:
    assert_like_one_process(ranks, quantize_badly, case)


# Stages of the engines


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 training samples of the demo's world; some lack a stream."""
    root = tmp_path_factory.mktemp("world") / "data"
    for _ in write_world(root, 12, held_out=1, streams=DemoWorld().streams, fixed=DemoWorld().fixed):
        pass
    for lacking in ("train/000002.image.png", "train/000003.caption.txt", "train/000009.answer.txt"):
        (root / lacking).unlink()
    return root


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures") / "data"
    for _ in write_world(root, 12, held_out=1, streams=["image"]):
        pass
    return root


def demo_run() -> LoomRunConfig:
    """The demo's with small odd batches, and few codes: with more of them than vectors some are equal, and
    which is the nearest is a matter of rounding. Small learning rates: a gradient that is only rounding is
    divided by its own size, so that weights may differ by a part of the rate."""
    run = demo()
    rates = {"learning_rate": 1e-3, "matrix_learning_rate": 6e-4}
    small = replace(run.training.loom, batch_size=7, max_grad_norm=0.3, **rates)
    training = replace(run.training, tokenizer=replace(small, batch_size=11), loom=small)
    image = {**run.tokenizers["image"], "codebook_size": 4}
    return replace(run, training=training, tokenizers={"image": image})


def train_loom(
    data: Path, stages: int, run: LoomRunConfig, distributed: Distributed, *, started: bool = False
) -> Tensors:
    """The steps of the last of so many stages; those before are trained in one process.

    `started`: codebooks start before, on another batch.
    """
    with tempfile.TemporaryDirectory() as folder, RunFolder.create(Path(folder) / "run", run) as made:
        trainer = LoomTrainer(made, open_folder(data), Accelerator("cpu", "fp32"), notify=lambda _: None)
        plans = trainer.plans()[:stages]
        for plan in plans[:-1]:
            training = begin(plan.build(), SINGLE_PROCESS)
            trained(training)
            training.stage.module.eval()
        trainer.accelerator = Accelerator("cpu", "fp32", distributed)
        stage = plans[-1].build()
        if started:
            stage.module.train()
            stage.loss(stage.batch(STEPS), generator(0, "start"), distributed)
        return trained(begin(stage, distributed))


def test_the_tokenizer_of_the_demo(ranks: Ranks, world: Path) -> None:
    assert_like_one_process(ranks, train_loom, world, 1, demo_run())


def test_augmented_stages(ranks: Ranks, world: Path) -> None:
    run = demo_run()
    augmented = {"shift": 0.2, "flip": 0.5, "dropout": 0.2}
    run = replace(run, training=replace(run.training, augment=augmented, variants=3))
    assert_like_one_process(ranks, train_loom, world, 1, run)
    assert_like_one_process(ranks, train_loom, world, 2, run)


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_the_loom_of_the_demo(ranks: Ranks, world: Path, process: str) -> None:
    run = demo_run()
    mixture = TrainingMixture(joint_prob=0.5, uncond_prob=0, kept_prob=0.5)
    run = replace(run, loom=replace(run.loom, process=process, mixture=mixture))
    expected = assert_like_one_process(ranks, train_loom, world, 2, run)
    assert sum(name.startswith("bits.") for name in expected) >= 2 * STEPS


RESTORERS: dict[str, dict[str, Any]] = {
    "superres": {"task": "superres", "crop_sizes": (8, 16)},
    "five tasks": {"task": "restore", "crop_sizes": (16,)},
    "mean flow": {
        "task": "generate",
        **{"process": "flow", "prediction": "velocity", "mean_flow_prob": 0.5},
    },
    "few mean flow": {
        "task": "superres",
        **{"process": "flow", "prediction": "velocity", "mean_flow_prob": 0.3, "crop_sizes": (8,)},
    },
}


def train_restorer(data: Path, case: str, micro_batches: int, distributed: Distributed) -> Tensors:
    networks = {"local": LocalResNetConfig(8, 1), "unet": UNetConfig((8, 8), groups=4)}
    run = RestorerRunConfig(
        data=DataConfig(streams=("image",)), restorer=RestorerConfig(**{**networks, **RESTORERS[case]})
    )
    optimizer = OptimizerConfig(batch_size=5, accumulation_steps=micro_batches)
    run = replace(run, training=replace(run.training, restorer=optimizer))
    with tempfile.TemporaryDirectory() as folder, RunFolder.create(Path(folder) / "run", run) as made:
        accelerator = Accelerator("cpu", "fp32", distributed)
        trainer = RestorerTrainer(made, open_folder(data), accelerator, notify=lambda _: None)
        return trained(begin(trainer._stage(), distributed))


LONG = ("five tasks", "few mean flow")
"""Of RESTORERS, each of which takes some seconds."""


@pytest.mark.usefixtures("many_measured_pairs")  # the other process measures as many
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.full] * (case in LONG)) for case in RESTORERS]
)
def test_restorers(ranks: Ranks, pictures: Path, case: str) -> None:
    assert_like_one_process(ranks, train_restorer, pictures, case, 1)


# Micro-batches


def assert_like_the_whole_batch(found: Tensors, whole: Tensors) -> None:
    """Weights, averages, losses and norms are; other figures of the log are means over the micro-batches."""
    for name, value in whole.items():
        if name.split()[0] in {"weight", "average", "loss", "norm"}:
            torch.testing.assert_close(
                found[name], value, atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
            )


@pytest.mark.parametrize("case", [case for case in QUANTIZED if case not in ("dropout", "lfq", "bsq")])
def test_quantizers_learn_from_micro_batches_what_they_learn_from_the_batch(case: str) -> None:
    """But for losses that are no means over samples: of entropies, and of depths that dropout keeps."""
    whole, parts = (train_quantizer(case, 1, number, SINGLE_PROCESS) for number in (1, 3))
    assert_like_the_whole_batch(parts, whole)


def test_two_processes_with_micro_batches(ranks: Ranks) -> None:
    whole = train_quantizer("restarts", 1, 1, SINGLE_PROCESS)
    for found in ranks.call(train_quantizer, "restarts", 1, 2):
        assert_like_the_whole_batch(found, whole)


ADVERSARY = {"weight": 0.3, "feature_weight": 0.3, "adaptive": False, "width": 8, "start": 0.0}


def in_micro_batches(run: LoomRunConfig, stage: str, number: int) -> LoomRunConfig:
    divided = replace(getattr(run.training, stage), accumulation_steps=number)
    return replace(run, training=replace(run.training, **{stage: divided}))


@pytest.mark.parametrize(
    ("stage", "settings"), [("tokenizer", {}), ("tokenizer", {"adversary": ADVERSARY}), ("loom", {})]
)
def test_stages_of_the_demo_in_micro_batches(world: Path, stage: str, settings: dict[str, Any]) -> None:
    run = demo_run()
    run = replace(run, tokenizers={"image": {**run.tokenizers["image"], **settings}})
    stages = ["tokenizer", "loom"].index(stage) + 1
    whole, parts = (
        train_loom(world, stages, in_micro_batches(run, stage, number), SINGLE_PROCESS, started=stages == 1)
        for number in (1, 3)
    )
    assert_like_the_whole_batch(parts, whole)


def test_a_restorer_in_micro_batches(pictures: Path) -> None:
    """One of mean flow, of which a micro-batch may have no example."""
    whole, parts = (train_restorer(pictures, "mean flow", number, SINGLE_PROCESS) for number in (1, 4))
    assert_like_the_whole_batch(parts, whole)


def test_a_discriminator(ranks: Ranks, world: Path) -> None:
    run = demo_run()
    adversary = {"adversary": {**ADVERSARY, "adaptive": True}}
    run = replace(run, tokenizers={"image": {**run.tokenizers["image"], **adversary}})
    expected = assert_like_one_process(ranks, train_loom, world, 1, run)
    assert expected["adversarial of step 2"] != 0


# Failures


def test_a_loss_that_is_not_finite_in_one_process_stops_both(ranks: Ranks) -> None:
    for result in ranks.results(step_to_infinity):
        assert isinstance(result, WorkFailed)
        assert "step 1 of x" in str(result)


def step_to_infinity(distributed: Distributed) -> None:
    accelerator, module = Accelerator("cpu", "fp32", distributed), nn.Linear(2, 2)
    x = distributed.split(4).own(torch.tensor([[1.0, 1], [1, 1], [1, 1], [1, torch.inf]]))
    accelerator.step(
        module,
        accelerator.optimizer(module, OptimizerConfig()),
        x,
        lambda x, ranks: Loss(ranks.mean(module(x).square().sum(1))),
        lr_scale=1,
        where="step 1 of x",
    )


def leave(distributed: Distributed) -> None:
    if distributed.rank == 1:
        os._exit(3)
    distributed.sum(torch.ones(3))


def hang(distributed: Distributed) -> None:
    if distributed.rank == 1:
        time.sleep(600)
    distributed.mean(torch.ones(3))


def explain(distributed: Distributed) -> None:
    if distributed.rank == 1:
        raise SystemExit("no space left")
    distributed.sum(torch.ones(3))


def test_a_process_that_stops_says_why(tmp_path: Path) -> None:
    with Ranks(tmp_path) as pair:
        pair.send(explain)
        assert "failed; rank 1 stopped: no space left; go on" in str(pair.result(0))


@pytest.mark.parametrize(("lost", "seconds"), [(leave, 10.0), (hang, 1.0)])
def test_a_process_that_is_gone_or_hangs_stops_the_other(
    tmp_path: Path, lost: Callable[[Distributed], None], seconds: float
) -> None:
    with Ranks(tmp_path, seconds=seconds) as pair:
        pair.send(lost)
        error = pair.result(0)
    assert isinstance(error, WorkFailed)
    assert "rank 0 of 2: the sum over all ranks failed; rank 1 does not answer" in str(error)
    assert "train --resume" in str(error)


def test_only_a_minute_is_waited_for() -> None:
    with (
        pytest.raises(BadValue, match="seconds is 61; it must be more than 0 and at most 60"),
        process_group(0, 1, init_method="tcp://localhost:1", device=torch.device("cpu"), seconds=61),
    ):
        pass
