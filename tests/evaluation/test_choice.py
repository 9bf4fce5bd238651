"""What is exact of a folder, and what is not."""

import json
import math

from modaloom.evaluation.choice import exact_of
from modaloom.world.splits import scene
from modaloom.world.write import FACTS


def write(folder, lines):
    text = "".join(json.dumps({"key": f"train/{i}", **line}) + "\n" for i, line in enumerate(lines))
    (folder / FACTS).write_text(text, encoding="utf-8")


def test_exact_figures_are_those_of_the_worlds_own_scenes(tmp_path):
    assert exact_of(tmp_path, "test-seen")("image", "caption") is None
    write(tmp_path, [scene(0, "train", i, {"motion": "still", "size": "small"}).facts for i in range(60)])
    exact = exact_of(tmp_path, "test-seen")
    assert abs(exact("image", "caption") - math.log2(19 * 7)) < 1e-6
    assert exact("image", "note") is exact_of(tmp_path, "test-odd")("image", "caption") is None
    write(tmp_path, [{"world": "duo", "relation": "left of"}] * 3)
    assert exact_of(tmp_path, "test-seen")("image", "caption") is None
