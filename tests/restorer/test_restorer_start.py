"""A Restorer that starts from another run is that run before its first step, and learns from there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom import api as modaloom
from modaloom.core.errors import BadRun, BadValue
from modaloom.data.folder import open_folder
from modaloom.restorer.config import RestorerRunConfig
from modaloom.restorer.example import as_batch
from modaloom.restorer.files import RESTORER
from modaloom.restorer.inference import run_task
from modaloom.restorer.restoration import RestoredRun
from modaloom.restorer.tasks import Signals
from modaloom.restorer.trainer import RestorerTrainer
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFolder, read_config
from modaloom.training.accelerator import Accelerator

SMALL = (
    *("restorer.local.width=8", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[8]"),
    *('restorer.unet={"widths":[8,8],"groups":4}', "training.restorer.batch_size=4"),
    "training.precision=fp32",
)


def pictures(root: Path, n: int, *, mode: str = "RGB", seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    root.mkdir(parents=True)
    for i in range(n):
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        coarse.resize((40, 32), Image.Resampling.BICUBIC).convert(mode).save(root / f"{i:02d}.png")
    return root


def train(folder: Path, out: Path, **options: Any) -> RestoredRun:
    run = modaloom.train(folder, out=out, samples=2, **{"steps": 3, **options})
    assert isinstance(run, RestoredRun)
    return run


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> RestoredRun:
    root = tmp_path_factory.mktemp("base")
    folder = pictures(root / "data", 30)
    return train(folder, root / "run", task="superres", steps=20, settings=SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("own") / "data", 12, seed=1)


def started_trainer(base: RestoredRun, folder: Path, out: Path) -> RestorerTrainer:
    config = replace(base.run, training=replace(base.run.training, start=str(base.path)))
    with RunFolder.create(out, config) as run:
        return RestorerTrainer(run, open_folder(folder), Accelerator("cpu", "fp32"), notify=lambda _: None)


def test_before_its_first_step_it_is_the_run(base: RestoredRun, folder: Path, tmp_path: Path) -> None:
    """Network, normalizer, filters and answers, also after the stage is set up."""
    trainer = started_trainer(base, folder, tmp_path / "run")
    trainer._stage()
    own, theirs = trainer.restoration, base.restoration
    own.restorer.eval()
    pair = trainer.pair(0, "any")
    state = torch.randn(1, *pair.target.shape, generator=torch.Generator().manual_seed(0))
    asked = state, torch.tensor([0.5]), pair.condition[None], pair.context[None]
    with torch.no_grad():
        found, expected = (one.restorer.network(*asked) for one in (own, theirs))
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(own.restorer.mean(as_batch(pair)), theirs.restorer.mean(as_batch(pair)))
    assert torch.equal(own.restorer.scale_K, theirs.restorer.scale_K)
    assert torch.equal(own.filters[0].weight_LPFC, theirs.filters[0].weight_LPFC)
    held = Signals(input=torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(1)))
    answers = [
        run_task(one.restorer, one.task, held, one.options, sampling=one.config.sampling)
        for one in (own, theirs)
    ]
    torch.testing.assert_close(*answers, rtol=0, atol=1e-6)


def test_it_learns_from_there_at_lower_rates_and_records_the_start(
    base: RestoredRun, folder: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    run = train(folder, tmp_path / "run", start=base.path, callbacks=callbacks)
    assert any(f"the Restorer starts from {base.path}" in one for one in said)
    assert read_config(run.path)["training"]["start"] == str(base.path.absolute())
    rates = [one.run.training.restorer.learning_rate for one in (run, base)]
    assert rates[0] == pytest.approx(0.3 * rates[1])
    ours, theirs = (one.restoration.restorer.state_dict() for one in (run, base))
    moved = [float((ours[name] - theirs[name]).abs().max()) for name in ours]
    assert 0 < max(moved) < 0.1
    out = modaloom.export(run.path, out=tmp_path / "small")
    assert read_config(out)["training"]["start"] == base.path.name
    run.save_pretrained(tmp_path / "hub")
    found = modaloom.from_pretrained(tmp_path / "hub")
    assert (found.hash, found.run) == (run.hash, run.run.portable())
    card = (tmp_path / "hub" / "README.md").read_text()
    assert "pipeline_tag: image-to-image" in card
    assert str(tmp_path) not in card
    again = train(folder, tmp_path / "again", config=run.path / "config.json")
    for name, tensor in again.restoration.restorer.state_dict().items():
        assert torch.equal(tensor, ours[name])


def test_other_options_of_the_task_have_filters_of_their_own(
    base: RestoredRun, folder: Path, tmp_path: Path
) -> None:
    settings = "restorer.options.factor=4"
    run = train(folder, tmp_path / "run", start=base.path, settings=settings)
    assert run.restoration.filters[0].spec.period == 4


def test_resumed_it_ends_in_the_same_bits_and_another_start_is_refused(
    base: RestoredRun, folder: Path, tmp_path: Path
) -> None:
    straight = train(folder, tmp_path / "straight", start=base.path)

    def stop(step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            folder,
            tmp_path / "run",
            start=base.path,
            callbacks=modaloom.TrainCallbacks(on_step=stop),
        )
    with pytest.raises(BadRun, match="was started from"):
        train(folder, tmp_path / "run", start=straight.path, resume=True)
    run = train(folder, tmp_path / "run", start=base.path, resume=True)
    ours, theirs = (one.restoration.restorer.state_dict() for one in (run, straight))
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_what_does_not_fit_is_refused_and_leaves_nothing(
    base: RestoredRun, folder: Path, tmp_path: Path
) -> None:
    clear = pictures(tmp_path / "clear", 12, mode="LA")
    for path in clear.iterdir():
        image = Image.open(path)
        image.putalpha(Image.new("L", image.size, 100))
        image.save(path)
    out = tmp_path / "run"
    for data, named, options in (
        (
            folder,
            "has learned superres, and is no start for denoise; take --task superres",
            {"task": "denoise"},
        ),
        (clear, "superres of 3 channels of image, and is no start for superres of 2 channels of raster", {}),
        (folder, "has another size", {"settings": "restorer.local.width=16"}),
        (folder, "holds no finished model", {"start": unfinished(tmp_path)}),
    ):
        with pytest.raises(BadRun, match=named):
            train(data, out, **{"start": base.path, **options})
        assert not out.exists()


def unfinished(root: Path) -> Path:
    config = override(RestorerRunConfig(), ["restorer.task=superres"])
    path = root / "unfinished"
    if not path.exists():
        with RunFolder.create(path, config):
            pass
    return path


def test_a_loom_is_no_start_of_a_restorer(folder: Path, tmp_path: Path) -> None:
    with pytest.raises((BadRun, BadValue), match="superres is no task of the engine loom"):
        train(folder, tmp_path / "run", start="demo", task="superres")
    with pytest.raises(BadRun, match="is a run of the loom; a restorer starts from another restorer"):
        train(folder, tmp_path / "run", start="demo", config=RestorerRunConfig(), task="superres")
    assert not (tmp_path / "run").exists()


def test_samples_of_a_whole_task_start_there_too(folder: Path, tmp_path: Path) -> None:
    config = override(RestorerRunConfig(), SMALL)
    base = train(folder, tmp_path / "base", task="generate", config=config)
    run = train(pictures(tmp_path / "data", 12, seed=2), tmp_path / "run", start=base.path)
    assert torch.equal(run.restoration.restorer.scale_K, base.restoration.restorer.scale_K)
    assert set(run.run.training.steps) == {RESTORER}
