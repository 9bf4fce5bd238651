"""The configuration of a call of `train`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modaloom.api.configuring import check_same, configure
from modaloom.core.defaults import TRAIN_MINUTES
from modaloom.core.errors import BadRun, BadValue
from modaloom.engines import preset
from modaloom.runs.config import RunConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder


def call(**given: Any) -> RunConfig:
    absent: dict[str, Any] = {"config": None, "settings": (), "streams": (), "minutes": None, "seed": None}
    return configure(**{"preset": "tiny", **absent, **given})


def test_one_stream_and_one_setting_need_no_list() -> None:
    run = call(streams="image", settings="training.log_every=7")
    assert (run.data.streams, run.training.log_every) == (("image",), 7)


@pytest.mark.parametrize("name", ["streams", "settings"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(BadValue, match=f"^{name} holds "):
        call(**{name: [3]})


@pytest.mark.parametrize(("folder", "split_by"), [("data", "folder"), ("other", "key")])
def test_a_training_on_the_data_of_its_start_splits_them_alike(
    folder: str, split_by: str, tmp_path: Path
) -> None:
    """Otherwise it would be scored on samples that the start was trained on."""
    base = preset("tiny")
    with RunFolder.create(tmp_path / "run", replace(base, data=replace(base.data, split_by="folder"))) as run:
        run.save_data({"folder": str(tmp_path / "data"), "streams": {}})
    found = call(start=tmp_path / "run", folder=tmp_path / folder)
    assert found.data.split_by == split_by
    again = call(start=tmp_path / "run", folder=tmp_path / folder, settings=["data.split_by=sample"])
    assert again.data.split_by == "sample"


def test_minutes_replace_the_steps_of_a_finished_run() -> None:
    """As in `--config RUN/config.json --minutes 5`: the steps recorded there do not count."""
    base = preset("tiny")
    schedule = {"image": trapezoid(9, warmup=0.1, decay=0.5)}
    done = replace(base, training=replace(base.training, minutes=2.0, steps={"image": 9}, schedule=schedule))
    assert call(config=done).training == done.training
    assert call(config=done, minutes=5.0).training == replace(base.training, minutes=5.0)
    by_setting = call(config=done, settings=["training.minutes=5"]).training
    assert by_setting == replace(base.training, minutes=5.0)
    both = call(config=done, settings=["training.minutes=5", "training.steps.image=7"]).training
    assert both.steps == {"image": 7}


def test_the_same_arguments_resume_a_run_whose_minutes_are_the_default(tmp_path: Path) -> None:
    """Training writes the 15 minutes that nobody gave."""
    base = preset("tiny")
    kept = replace(base, training=replace(base.training, minutes=TRAIN_MINUTES, precision="fp32"))
    check_same(tmp_path, kept, call())
    with pytest.raises(BadRun, match=r"training\.minutes = 15\.0, not 3\.0"):
        check_same(tmp_path, kept, call(minutes=3.0))
