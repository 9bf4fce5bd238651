"""A training that starts from another run takes its tokenizers and weights, and learns what is new."""

from pathlib import Path

import pytest
import torch
from adapting import SETTINGS, adapted, pairs, trained
from PIL import Image, ImageOps

import modaloom.api as modaloom
from modaloom.core.errors import BadRun, BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.run import TrainedRun
from modaloom.runs.config_io import override
from modaloom.runs.store import RunFiles


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return trained(tmp_path_factory.mktemp("base"))


def weights(run: TrainedRun) -> dict[str, torch.Tensor]:
    return run.model.loom.state_dict()


def test_the_weights_are_the_start(base: TrainedRun, tmp_path: Path) -> None:
    said: list[str] = []
    settings = ["training.loom.learning_rate=1e-9", "training.loom.matrix_learning_rate=1e-9"]
    run = adapted(base, pairs(tmp_path / "data", 30), tmp_path / "run", said, steps=1, settings=settings)
    assert any("0 of" in one and "tensors are new" in one for one in said)
    ours, theirs = weights(run), weights(base)
    assert len(ours) > len(theirs) or ours.keys() == theirs.keys()
    for name in ours.keys() & theirs.keys():
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-6, rtol=0)
    tokenizers = [run.model.streams["image"].tokenizer, base.model.streams["image"].tokenizer]
    for ours_, theirs_ in zip(*(one.state_dict().values() for one in tokenizers), strict=True):
        assert torch.equal(ours_, theirs_)


def test_the_finished_weights_lie_between_start_and_end(base: TrainedRun, tmp_path: Path) -> None:
    folder, runs = pairs(tmp_path / "data", 30), {}
    for weight in (1.0, 0.7, 0.0):
        settings = [f"training.interpolation={weight}", "training.replay=0"]
        runs[weight] = weights(adapted(base, folder, tmp_path / f"{weight}", [], steps=3, settings=settings))
    start = weights(base)
    assert any(not torch.equal(start[name], end) for name, end in runs[1.0].items() if name in start)
    for name in start.keys() & runs[1.0].keys():
        torch.testing.assert_close(runs[0.0][name], start[name], rtol=0, atol=1e-6)
        between = start[name] + 0.7 * (runs[1.0][name] - start[name])
        torch.testing.assert_close(runs[0.7][name], between, rtol=0, atol=1e-6)


def test_it_learns_from_there(base: TrainedRun, tmp_path: Path) -> None:
    folder = pairs(tmp_path / "data", 30)
    run = adapted(base, folder, tmp_path / "run", [], steps=4)
    config = override(LoomRunConfig(), SETTINGS)
    scratch = modaloom.train(folder, out=tmp_path / "scratch", steps=4, config=config, samples=4)
    first, later = ([line["loss"] for line in _log(one) if line["stage"] == "loom" and "loss" in line]
                    for one in (run, scratch))  # fmt: skip
    assert first[0] < later[0]
    rates = run.run.training.loom
    assert rates.learning_rate == pytest.approx(0.3 * base.run.training.loom.learning_rate)


def _log(run: TrainedRun) -> list[dict[str, float]]:
    return [dict(line) for line in RunFiles(run.path).metrics()]


def test_a_further_stream_is_new(base: TrainedRun, tmp_path: Path) -> None:
    said: list[str] = []
    run = adapted(base, pairs(tmp_path / "data", 30, sizes=True), tmp_path / "run", said, steps=2)
    assert set(run.model.streams) == {"image", "text", "size"}
    assert any("tensors are new" in one and " 0 of" not in one for one in said)
    run.generate(given={"size": "small"}, want="image", n=1)


def test_a_further_stream_of_the_same_pictures_takes_their_tokenizer(
    base: TrainedRun, tmp_path: Path
) -> None:
    """As in a run of its own, where they would share one: what is given can then be copied, code by code."""
    folder = pairs(tmp_path / "data", 30)
    for i in range(30):
        picture = Image.open(folder / f"{i:02d}.png")
        ImageOps.invert(picture).save(folder / f"{i:02d}.image.after.png")
        picture.resize((12, 12)).save(folder / f"{i:02d}.image.large.png")
    settings = ["training.loom.learning_rate=1e-9", "training.loom.matrix_learning_rate=1e-9"]
    run = adapted(base, folder, tmp_path / "run", [], steps=1, settings=settings)
    tables = {name: stream.table for name, stream in run.model.streams.items()}
    assert tables == {"image": "image", "image.after": "image", "image.large": "image.1", "text": "text"}
    assert {*run.run.training.steps} == {"image.1", "loom"}
    ours, theirs = (one.model.streams["image"].tokenizer.state_dict() for one in (run, base))
    assert all(torch.equal(ours[name], tensor) for name, tensor in theirs.items())
    codes = [name for name in weights(base) if name.startswith("network.code_embed.image.")]
    assert codes
    for name in codes:
        torch.testing.assert_close(weights(run)[name], weights(base)[name], atol=1e-6, rtol=0)


def test_streams_that_the_data_lack_are_left_out(base: TrainedRun, tmp_path: Path) -> None:
    settings = ['loom.mixture.wanted=["image","size"]', 'streams.size.tokenizer="bpe"']
    first = adapted(
        base, pairs(tmp_path / "three", 30, sizes=True), tmp_path / "one", [], steps=1, settings=settings
    )
    run = adapted(first, pairs(tmp_path / "two", 30), tmp_path / "other", [], steps=1)
    assert set(run.model.streams) == {"image", "text"}
    assert run.run.loom.mixture.wanted == ("image",)
    third = adapted(run, pairs(tmp_path / "sized", 30, sizes=True), tmp_path / "third", [], steps=1)
    assert third.run.loom.mixture.wanted == ("image", "size")
    wrong = ["streams.sizes.tokenizer=bpe"]
    with pytest.raises(BadValue, match="sizes"):
        adapted(first, pairs(tmp_path / "more", 30), tmp_path / "bad", [], steps=1, settings=wrong)


def test_tokenizers_of_unpaired_data(base: TrainedRun, tmp_path: Path) -> None:
    config = override(LoomRunConfig(), SETTINGS)
    alone = modaloom.train(
        pairs(tmp_path / "many", 60, words=False), out=tmp_path / "alone", steps=3, config=config, samples=4
    )
    few, out = pairs(tmp_path / "few", 30), tmp_path / "run"
    run = modaloom.train(few, out=out, steps=2, config=config, tokenizers=alone.path, samples=4)
    assert "image" not in run.run.training.steps
    for ours, theirs in zip(
        *(one.model.streams["image"].tokenizer.state_dict().values() for one in (run, alone)), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_run_that_is_stopped_goes_on(base: TrainedRun, tmp_path: Path) -> None:
    folder, out = pairs(tmp_path / "data", 30), tmp_path / "run"
    whole = adapted(base, folder, tmp_path / "whole", [], steps=4)

    def stop(step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        modaloom.train(
            folder,
            out=out,
            start=base.path,
            steps=4,
            samples=4,
            callbacks=modaloom.TrainCallbacks(on_step=stop),
        )
    with pytest.raises(BadRun, match="was started from"):
        modaloom.train(folder, out=out, start=tmp_path / "whole", steps=4, samples=4, resume=True)
    again = adapted(base, folder, out, [], steps=4, resume=True)
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(again)[name])


@pytest.mark.parametrize("options", [{}, {"task": "superres"}])
def test_what_does_not_fit_is_refused(base: TrainedRun, options: dict[str, str], tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for i in range(30):
        Image.new("RGB", (16, 16)).save(root / f"{i}.photo.png")
    with pytest.raises(
        (BadRun, BadValue), match=r"no stream of the data|no task of the engine|starts from no"
    ):
        modaloom.train(root, out=tmp_path / "run", start=base.path, steps=1, **options)
    assert not (tmp_path / "run").exists()
