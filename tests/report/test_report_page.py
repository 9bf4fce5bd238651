import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_run import CAPTION, put, write_run
from PIL import Image

from modaloom.core.errors import BadRun
from modaloom.report import write_report

FILES = ("config.json", "data.json", "scores.json", "usage.json", "metrics.jsonl", "samples/index.json")
OUTSIDE = re.compile(r"""https?://|\b(?:src|href|poster)\s*=\s*["']?+(?!data:)|@import|url\(|<script""")
VOID = {"meta", "link", "img"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "my run")


def page(run: Path, **options: bool) -> str:
    path = write_report(run, **options)
    assert path == run / "report.html"
    assert not list(run.glob(".new-*"))
    return path.read_text()


def titles(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


class Balance(HTMLParser):
    """Fails on an element that is closed where it is not open, or never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_has_every_section_in_order_and_is_well_formed(run: Path) -> None:
    html = page(run)
    order = ["Scores", "Samples", "Warnings", "Training", "Codebooks", "Data", "Make it again"]
    assert titles(html) == order
    checker = Balance()
    checker.feed(html)
    assert checker.open == []
    for text in (
        "<h1>my run</h1>",
        "Words → pictures: 93%.",
        "x &lt; y",
        "caption → image, seen",
        "train 8,000",
    ):
        assert text in html
    assert "modaloom generate run --n 2" in html
    assert "modaloom train &#x27;my pairs&#x27;" in html
    assert "perplexity 20 of 64 (32%), 0 codes never used" in html
    assert "perplexity 61 of 64 (95%), 3 codes never used" in html
    assert "30 skipped" in html
    assert "… and 10 more" in html
    assert html.count("<img") == 3


def test_nothing_is_loaded_from_elsewhere(run: Path) -> None:
    assert not OUTSIDE.search(page(run))
    assert OUTSIDE.search('<img src="a.png">')
    assert OUTSIDE.search("<link href=https://a.b/c.css>")


def test_what_people_wrote_is_escaped(run: Path) -> None:
    html = page(run)
    assert CAPTION not in html
    assert "<b>red" not in html
    assert "a &lt;b&gt;red&lt;/b&gt; circle &amp; a" in html


@pytest.mark.parametrize("missing", FILES)
def test_a_missing_file_costs_its_section_only(run: Path, missing: str) -> None:
    sections = dict(zip(FILES, ("", "Data", "Scores", "Codebooks", "Training", "Samples")))
    everything = titles(page(run))
    (run / missing).unlink()
    if missing == "scores.json":
        everything.remove("Warnings")
    assert titles(page(run)) == [title for title in everything if title != sections[missing]]


@pytest.mark.parametrize("damaged", [name for name in FILES if name.endswith(".json")])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_file_is_named(run: Path, damaged: str, content: bytes) -> None:
    (run / damaged).write_bytes(content)
    assert f"<li>{damaged} is damaged.</li>" in page(run)


def test_an_empty_folder_has_a_page_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    assert titles(page(tmp_path)) == ["Make it again"]
    with pytest.raises(BadRun, match="is no run folder"):
        write_report(tmp_path / "none")


def test_only_an_unfinished_run_refreshes(run: Path) -> None:
    assert 'http-equiv="refresh"' not in page(run)
    (run / "model").rmdir()
    html = page(run)
    assert html.count('<meta http-equiv="refresh" content="20">') == 1
    assert "Training loom: step 399 of 400." in html
    assert "modaloom train --resume --out" in html


def test_samples_can_be_left_out(run: Path) -> None:
    html = page(run, samples=False)
    assert "<img" not in html
    assert "Samples" not in titles(html)


def test_what_cannot_be_shown_is_named(run: Path) -> None:
    (run / "samples" / "0001.0.image.png").write_bytes(b"")
    html = page(run)
    assert html.count("<img") == 2
    assert "0001.0.image.png: is empty" in html
    (run / "data.json").unlink()
    assert "0001.1.image.png (its modality is unknown)" in page(run)


def test_the_page_does_not_grow_with_the_run(tmp_path: Path) -> None:
    short = write_run(tmp_path / "short", steps=400)
    long = write_run(tmp_path / "long", steps=8000)
    put(long / "usage.json", {"image": {"counts": [list(range(4096))], "perplexity": [3000.0]}})
    assert len(page(long)) < 1.1 * len(page(short)) + 10_000


def test_pictures_are_embedded_up_to_a_budget(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modaloom.report.samples.BUDGET", 100_000)
    Image.effect_noise((100, 100), 90).convert("RGB").save(run / "samples" / "0001.0.image.png")
    index = json.loads((run / "samples" / "index.json").read_text())
    index["blocks"][0]["rows"] *= 20
    put(run / "samples" / "index.json", index)
    html = page(run)
    shown = html.count('class="row"')
    assert 1 <= shown < 9
    assert f"{20 - shown} more in samples/" in html
    assert len(html) < 130_000


def test_a_cell_shows_the_metric_that_stands_for_its_row(run: Path) -> None:
    html = page(run)
    matrix = html[html.index('class="matrix"') : html.index("every figure (7)")]
    assert ">0.941<" in matrix
    assert ">0.97<" not in matrix
    assert "--fill: 93%" in matrix  # (0.941 − 0.25) / (0.99 − 0.25)
    assert ">0.31 ▾<" in matrix
    assert matrix.count("▾<") == 1
    assert ">nothing<" in matrix
    assert "tokenizer.image" not in matrix
    assert "tokenizer.image" in html


def test_lower_is_better_where_the_ceiling_lies_below_the_floor(run: Path) -> None:
    row = {"row": "image->age", "split": "test", "metric": "error", "n": 9}
    row |= {"value": 0.5, "floor": 1.0, "baseline": 0.6, "retrieval": None, "ceiling": 0.0}
    put(run / "scores.json", {"rows": [row, row | {"split": "far", "value": 0.7}]})
    html = page(run)
    assert "--fill: 50%" in html
    assert ">0.5<" in html
    assert ">0.7 ▾<" in html
