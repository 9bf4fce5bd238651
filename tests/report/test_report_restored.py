"""The page of a run that restores: what is given, a linear filter, mean, sample and truth side by side."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from modaloom.report import restored as module
from modaloom.report import write_report

ROLES = ("given", "before", "baseline", "mean", "sample", "truth")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    samples = tmp_path / "run" / "samples"
    samples.mkdir(parents=True)
    rows = []
    for i in range(2):
        for k, role in enumerate(ROLES):
            Image.new("RGB", (8, 8), (40 * k, 100 * i, 0)).save(samples / f"{role}{i}.png")
        rows.append({role: f"{role}{i}.png" for role in ROLES})
    index = {"split": "test", "restored": [{"part": "denoise", "stream": "image", "rows": rows}]}
    (samples / "index.json").write_text(json.dumps(index))
    score = {"row": "restore:denoise", "split": "test", "metric": "psnr", "n": 2}
    rows = [{**score, "floor": 20.2, "baseline": 25.5, "value": 28.75}]
    (tmp_path / "run" / "scores.json").write_text(json.dumps({"rows": rows}))
    (tmp_path / "run" / "data.json").write_text(json.dumps({"streams": {"image": {"modality": "image"}}}))
    return tmp_path / "run"


def section(run: Path) -> str:
    return write_report(run).read_text().split('id="restored"')[1].split("</section>")[0]


def test_roles_stand_side_by_side_and_the_first_can_be_compared(run: Path) -> None:
    html = section(run)
    walls = html.split('class="wall"')[1:]
    assert [re.findall("<figcaption>([^<]+)<", wall) for wall in walls] == [[*module.ROLES.values()]] * 2
    pictures = [re.findall(r'src="([^"]+)"', wall) for wall in walls]
    assert len({*pictures[0], *pictures[1]}) == 10
    assert "more in" not in html
    slider = re.findall(r'src="([^"]+)"', html.split('class="slider"')[1].split('class="wall"')[0])
    assert slider[0] == pictures[0][2]
    assert slider[1] not in pictures[0]


def test_figures_stand_beside_what_they_must_beat(run: Path) -> None:
    cells = re.findall(r"<t[hd][^>]*>([^<]*)<", section(run))
    assert cells[-7:] == ["denoise", "test", "psnr", "20.2", "25.5", "28.8", "2"]


def test_what_has_no_mean_has_no_comparison_and_the_page_does_not_grow(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = json.loads((run / "samples" / "index.json").read_text())
    for row in index["restored"][0]["rows"]:
        del row["mean"], row["before"]
    (run / "samples" / "index.json").write_text(json.dumps(index))
    assert "slider" not in section(run)
    monkeypatch.setattr(module, "MAX_CHARACTERS", 1)
    html = section(run)
    assert 'class="wall"' not in html
    assert "2 more in samples/" in html


def test_figures_and_pictures_have_the_commands_that_make_them_again(run: Path) -> None:
    (run / "model").mkdir()
    found = re.findall(r'class="command"><code>modaloom (\w+) ', section(run))
    assert found == ["evaluate", "train"]
    (run / "samples" / "index.json").unlink()
    assert re.findall(r'class="command"><code>modaloom (\w+) ', section(run)) == ["evaluate"]
