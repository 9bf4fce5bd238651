"""The page of an explanation made by hand: parts are where they belong, coloured by sign, and escaped."""

import re

import numpy as np
import pytest

from modaloom.loom.explanation import Attribution, Explanation
from modaloom.modalities.audio_value import Audio
from modaloom.report.explanation import explanation_page

SOUND = Audio(np.sin(np.linspace(0, 400, 8000, dtype=np.float32))[None], 8000)
PARTS = (
    Attribution("note", "<b>fever</b>", 2.0),
    Attribution("note", "none", -1.0),
    Attribution("record", "age", 0.5),
    Attribution("sound", "0–0.5", 1.0, (0.0, 0.0, 0.5, 1.0)),
    Attribution("sound", "0.5–1", 0.0, (0.5, 0.0, 1.0, 1.0)),
)


@pytest.fixture(scope="module")
def page() -> str:
    found = Explanation(
        want="diagnosis",
        value="flu",
        given={"note": "<b>fever</b> none", "record": {"age": 40}, "sound": SOUND},
        parts=PARTS,
        bits=4.0,
        deletion=(-1.5, -3.5, -4.0),
        insertion=(-4.0, -2.0, -1.5),
        random=((-4.0, -3.0, -1.5), (-4.0, -3.5, -1.5)),
        previews=("?", "flu"),
        modality_of={"note": "text", "record": "record", "sound": "audio", "diagnosis": "text"},
    )
    return explanation_page(found, {}, "modaloom explain RUN")


def test_streams_have_the_sum_of_their_parts(page: str) -> None:
    assert re.findall(r"<h2>(\w+): (-?[\d.]+) bits</h2>", page) == [
        ("note", "1.00"),
        ("record", "0.50"),
        ("sound", "1.00"),
    ]
    assert "It takes 4.0 bits; what was given tells 2.5 of them." in page


def test_parts_are_coloured_by_sign_and_size_and_escaped(page: str) -> None:
    assert "<b>fever" not in page
    assert re.search(r'class="for" style="opacity: 0.70"></i><b>&lt;b&gt;fever', page)
    assert re.search(r'class="against" style="opacity: 0.35"></i><b>none', page)
    assert re.search(r'<th scope="row">age</th><td>0.50</td><td><i class="for" style="width: 25%">', page)


def test_stretches_lie_over_the_spectrogram(page: str) -> None:
    _, after = page.split('class="map"')
    styles = re.findall(r'<i class="for" style="(left[^"]*)"', after)
    assert styles == [
        "left: 0.00%; top: 0.00%; width: 50.00%; height: 100.00%; opacity: 0.35",
        "left: 50.00%; top: 0.00%; width: 50.00%; height: 100.00%; opacity: 0.00",
    ]


def test_curves_stand_beside_random_ones_and_steps_are_shown(page: str) -> None:
    assert "deletion: mean -3.12, of random orders -2.88, -3.12" in page
    assert "insertion: mean -2.38, of random orders -2.88, -3.12" in page
    assert page.count('class="line line0"') == page.count('class="line line1"') == 2
    assert re.findall(r"step \d of 2", page) == ["step 1 of 2", "step 2 of 2"]
