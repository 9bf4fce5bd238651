"""The training of a Restorer: every task, stopped and gone on with, to the same bits."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.data.folder import open_folder
from modaloom.engines import ENGINES
from modaloom.loom.config import LoomRunConfig
from modaloom.networks.local_resnet import LocalResNetConfig
from modaloom.networks.unet import UNetConfig
from modaloom.restorer.config import RestorerConfig, RestorerRunConfig, RestorerTrainingConfig
from modaloom.restorer.example import as_batch
from modaloom.restorer.files import RESTORER, unpack_restorer
from modaloom.restorer.inference import run_task
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.tasks import TASKS, Signals
from modaloom.restorer.trainer import RestorerTrainer
from modaloom.runs.config import DataConfig, OptimizerConfig
from modaloom.runs.config_io import from_plain, to_plain
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted
from modaloom.transforms.crop import detail

STEPS = 4


def config(task="superres", streams=("image",), **restorer):
    small = {"local": LocalResNetConfig(8, 1), "unet": UNetConfig((8, 8), groups=4), "crop_sizes": (8,)}
    return RestorerRunConfig(
        data=DataConfig(streams=streams),
        restorer=RestorerConfig(**{"task": task, **small, **restorer}),
        training=RestorerTrainingConfig(
            steps={RESTORER: STEPS}, restorer=OptimizerConfig(batch_size=5), log_every=1
        ),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs of several sizes, each with a paler copy of its size; one sample lacks the copy."""
    root, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for i in range(14):
        key = f"{'train' if i < 10 else 'val'}/{i:02d}"
        (root / key).parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (12 + i, 20 - i, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"{key}.png")
        if i != 3:
            Image.fromarray(pixels // 2 + 100).save(root / f"{key}.pale.png")
    return open_folder(root)


def finish(run, folder, *, stop=None, precision="fp32"):
    trainer, steps = RestorerTrainer(run, folder, Accelerator("cpu", precision), notify=pytest.fail), []
    for step in trainer.steps():
        steps.append(step.step)
        if step.step == stop:
            os.kill(os.getpid(), signal.SIGTERM)
    return trainer, steps


def trained(path, folder, run, *, precision="fp32"):
    with RunFolder.create(path, run) as run_folder:
        return finish(run_folder, folder, precision=precision)[0]


@pytest.fixture(scope="module")
def straight(folder, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("straight") / "run", folder, config())


def tensors(trainer):
    return {f"{part}.{n}": t for part, found in trainer.parts().items() for n, t in found.tensors.items()}


def wanted(trainer, pair):
    """What the target makes of the estimate."""
    return trainer.restoration.task.estimate(pair) + pair.target


@pytest.mark.parametrize("task", ["superres", "restore"])
def test_each_step_takes_the_next_size_of_pieces_and_all_must_fit(task, folder, tmp_path):
    with RunFolder.create(tmp_path / "run", config(crop_sizes=(8, 12))) as run:
        batch = RestorerTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail)._stage().batch
        assert [batch(step).target.shape for step in range(3)] == [(5, 3, n, n) for n in (8, 12, 8)]
    with (
        RunFolder.create(tmp_path / task, config(task, crop_sizes=(8, 9))) as run,
        pytest.raises(BadValue, match="9"),
    ):
        RestorerTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail)
    with pytest.raises(BadValue, match="crop_sizes is empty"):
        config(crop_sizes=())


def test_pieces_are_the_most_detailed_of_so_many_candidates(folder, tmp_path):
    found = []
    for candidates in (1, 8):
        with RunFolder.create(tmp_path / f"{candidates}", config(crop_candidates=candidates)) as run:
            trainer = RestorerTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail)
        wants = [wanted(trainer, trainer.pair(0, i)) for i in range(20)]
        found.append(sum(map(detail, wants)))
    assert found[1] > 1.02 * found[0]
    with pytest.raises(BadValue, match="crop_candidates is 0"):
        config(crop_candidates=0)


def assert_same_bits(a, b):
    assert set(a) == set(b)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_learned_and_its_model_rebuilt(task, folder, tmp_path):
    streams = ("image", "pale") if TASKS[task].paired else ("image",)
    trainer = trained(tmp_path / "run", folder, config(task, streams))
    parts = trainer.parts()
    assert all(t.isfinite().all() for t in parts[RESTORER].tensors.values())
    again = unpack_restorer(parts)
    assert again.plan == trainer.plan
    assert_same_filters(again.filters, trainer.restoration.filters)
    pair = trainer.pair(0, "any")
    noise, network = torch.randn(1, *pair.target.shape), trainer.restoration.restorer.network
    asked = noise, torch.tensor([0.5]), pair.condition[None], pair.context[None]
    with torch.no_grad():
        found = again.restorer.network(*asked)
        assert found.abs().max() > 0
        torch.testing.assert_close(found, network(*asked))


def assert_same_filters(some, others):
    assert [one.spec for one in some] == [one.spec for one in others]
    for one, other in zip(some, others, strict=True):
        assert torch.equal(one.weight_LPFC, other.weight_LPFC)


@pytest.mark.parametrize("task", ["superres", "restore"])
def test_before_its_first_step_the_mean_is_the_filters_estimate_to_the_bit(task, folder, tmp_path):
    with RunFolder.create(tmp_path / "run", config(task)) as run:
        found = RestorerTrainer(run, folder, Accelerator("cpu", "fp32"), notify=pytest.fail).restoration
    seen = Signals(torch.rand(3, 24, 20, generator=torch.Generator().manual_seed(0)))
    for i, options in enumerate(found.task.subtasks(found.options).values() or [found.options]):
        held = found.task.degrade(seen, options, torch.Generator())
        asked = found.task.build_condition(Signals(input=held.input), options)
        linear = found.filters[i](asked.condition[:3], float(asked.context[0, -1]))
        expected = found.task.postprocess(linear, held, options)
        mean = run_task(found.restorer, found.task, held, options, sampling=found.config.sampling)
        assert torch.equal(mean, expected)
        assert not torch.equal(linear, asked.condition[:3])


def test_the_filter_is_that_of_the_training_examples_and_after_a_step_the_mean_is_near_it(folder, tmp_path):
    run = config()
    run = replace(run, training=replace(run.training, steps={RESTORER: 1}))
    trainer = trained(tmp_path / "run", folder, run)
    found, measured = trainer.restoration, [*trainer._measured()]
    pairs = [(pair.condition[:3], wanted(trainer, pair)) for pair in measured]
    again = PatchRidge.fit(pairs, TASKS["superres"].linear_filter(found.options))
    torch.testing.assert_close(found.filters[0].weight_LPFC, again.weight_LPFC, rtol=0, atol=1e-4)
    pair = trainer.pair(0, "any")
    mean = found.restorer.mean(as_batch(pair))[0]
    assert mean.square().mean() < 0.01 * pair.target.square().mean()


def test_a_model_without_filters_starts_from_the_initial_estimate(straight):
    parts = {name: part for name, part in straight.parts().items() if name == RESTORER}
    old, pair = unpack_restorer(parts), straight.pair(0, "any")
    assert old.filters == ()
    assert torch.equal(old.task.estimate(pair), pair.condition[:3])
    assert not torch.equal(straight.restoration.task.estimate(pair), pair.condition[:3])


@pytest.mark.parametrize(("task", "stop"), [("superres", 1), ("superres", STEPS), ("generate", 2)])
def test_stopped_and_gone_on_with_it_ends_in_the_same_bits(straight, folder, tmp_path, task, stop):
    path = tmp_path / "run"
    if task == "generate":
        straight = trained(tmp_path / "straight", folder, config(task))
    with RunFolder.create(path, config(task)) as run, pytest.raises(Interrupted, match="--resume"):
        finish(run, folder, stop=stop)
    with RunFolder.resume(path, RestorerRunConfig) as run:
        trainer, steps = finish(run, folder)
        assert steps == list(range(stop + 1, STEPS + 1))
        lines = [[r for r in f.run.metrics() if "val.sample" in r] for f in (trainer, straight)]
    assert lines[0] == lines[1]
    assert [line["step"] for line in lines[0]] == [1, 2, 3, 4]
    assert_same_bits(tensors(trainer), tensors(straight))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_leaps_are_learned_and_drawn(folder, tmp_path, precision):
    """By a U-Net, whose group norms and autocast's copies of weights forward mode could stumble over."""
    leaping = {"mean_flow_prob": 0.5, "process": "flow", "prediction": "velocity"}
    trainer = trained(tmp_path / "run", folder, config("generate", **leaping), precision=precision)
    pair = trainer.pair(0, "any")
    noise = torch.randn(1, *pair.target.shape)
    found = trainer.restoration.restorer.sample_mean_flow(as_batch(pair), noise, torch.linspace(1, 0, 3))
    assert found.shape == noise.shape
    assert found.isfinite().all()


def test_another_seed_is_another_model(straight, folder, tmp_path):
    trainer = trained(tmp_path / "run", folder, replace(config(), seed=1))
    same = [
        n
        for n, t in tensors(trainer).items()
        if n.endswith("weight") and torch.equal(t, tensors(straight)[n])
    ]
    assert same == []


def test_the_scale_is_that_of_the_targets(folder, tmp_path, many_measured_pairs):
    straight = trained(tmp_path / "run", folder, config())
    targets = torch.stack([straight.pair(i % 10, "more", i).target for i in range(300)])
    scale = float(straight.restoration.restorer.scale_K)
    torch.testing.assert_close(scale, float(targets.std()), rtol=0.1, atol=0)


def test_a_pair_has_the_given_stream_under_the_wanted_one(folder, tmp_path):
    """image → pale: the target is what makes a pixel pale, at its own place."""
    trainer = trained(tmp_path / "run", folder, config("image_to_image", ("image", "pale")))
    for row in (0, 4):
        pair = trainer.pair(row, "any")
        given, want = pair.condition[:3], wanted(trainer, pair)
        assert (want * 255 - (given * 255 / 2 + 100)).abs().max() < 1
    assert trainer.data.rows["train"].tolist() == [0, 1, 2, *range(4, 10)]


def test_whole_tasks_see_whole_signals_of_one_size(folder, tmp_path):
    trainer = trained(tmp_path / "run", folder, config("generate"))
    shapes = {tuple(trainer.pair(row, "any").target.shape) for row in range(10)}
    assert shapes == {(3, *trainer.plan.spec["content"])}


def test_options_are_the_tasks_own_and_the_configuration_comes_back(folder, tmp_path):
    run = config("restore", options={"superres.factor": 4, "jpeg": {"quality": 50}})
    assert (run.restorer.task_options().superres.factor, run.restorer.task_options().jpeg.quality) == (4, 50)
    assert from_plain(RestorerRunConfig, to_plain(run)) == run
    assert (run.engine, LoomRunConfig().engine) == ("restorer", "loom")
    with pytest.raises(BadValue, match="did you mean 'factor'"):
        config(options={"faktor": 4})
    with pytest.raises(BadValue, match="unknown task 'superes'"):
        config("superes")
    with pytest.raises(BadValue, match="says nothing of the data in pure noise"):
        RestorerConfig(prediction="eps")
    assert set(ENGINES) == {"loom", "restorer"}


@pytest.mark.parametrize(
    ("task", "streams", "message"),
    [
        ("superres", (), r"superres takes one stream; choose with --streams from image, pale"),
        ("image_to_image", ("image",), "image_to_image takes two streams"),
        ("superres", ("imge",), r"did you mean 'image'"),
    ],
)
def test_the_wrong_streams_are_refused(task, streams, message, folder, tmp_path):
    with (
        RunFolder.create(tmp_path / "run", config(task, streams)) as run,
        pytest.raises(BadValue, match=message),
    ):
        finish(run, folder)


def test_a_pair_of_two_sizes_is_named(tmp_path):
    for size, name in (((8, 8), "0.png"), ((8, 9), "0.other.png")):
        (tmp_path / "pairs" / "train").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(tmp_path / "pairs" / "train" / name)
    with (
        RunFolder.create(tmp_path / "run", config("image_to_image", ("image", "other"))) as run,
        pytest.raises(BadValue, match=r"train/0 is 8×8 and 9×8; given and wanted must be of one size"),
    ):
        finish(run, open_folder(tmp_path / "pairs"))
