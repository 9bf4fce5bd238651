import json
import re
import shlex
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_run import CAPTION, put, scores, write_run
from PIL import Image

from modaloom.core.errors import BadRun
from modaloom.report import atlas as atlas_section
from modaloom.report import samples as samples_section
from modaloom.report import write_report

SECTIONS = {
    "config.json": ["Configuration"],
    "data.json": ["Data"],
    "scores.json": ["Headline", "Scores", "Diagnosis", "Warnings"],
    "usage.json": ["Codebooks"],
    "information.json": ["Information"],
    "metrics.jsonl": ["Training"],
    "samples/index.json": ["Samples", "Worst"],
    "samples/atlas.json": ["Code atlas"],
    "samples/atlas.image.png": ["Code atlas"],
}
"""File of a run → the sections that it fills."""
ORDER = [
    *("Headline", "Scores", "Samples", "Worst", "Diagnosis", "Information"),
    *("Training", "Code atlas", "Codebooks", "Data", "Warnings", "Configuration"),
]
OUTSIDE = re.compile(
    r"""https?://|\b(?:src|href|poster)\s*=\s*["']?+(?!data:|#)|@import|url\((?!data:)|<script"""
)
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
    assert titles(html) == ORDER
    checker = Balance()
    checker.feed(html)
    assert checker.open == []
    for text in (
        "<h1>my run</h1>",
        "Words → pictures: 93%.",
        "x &lt; y",
        "caption → image",
        "image → caption</th><td>Train &lt; longer.",
        "train 8,000",
    ):
        assert text in html
    assert "perplexity 20 of 64 (32%), 0 codes never used" in html
    assert "perplexity 61 of 64 (95%), 3 codes never used" in html
    assert "30 skipped" in html
    assert "… and 10 more" in html
    assert html.count("<img") == 6
    assert "slot.mean 0.50, wrong: shape" in html


def test_nothing_is_loaded_from_elsewhere(run: Path) -> None:
    assert not OUTSIDE.search(page(run))
    assert OUTSIDE.search('<img src="a.png">')
    assert OUTSIDE.search("<link href=https://a.b/c.css>")
    assert OUTSIDE.search("background: url(a.png)")


def test_what_people_wrote_is_escaped(run: Path) -> None:
    html = page(run)
    assert CAPTION not in html
    assert "<b>red" not in html
    assert "a &lt;b&gt;red&lt;/b&gt; circle &amp; a" in html


@pytest.mark.parametrize("missing", SECTIONS)
def test_a_missing_file_costs_its_sections_only(run: Path, missing: str) -> None:
    (run / missing).unlink()
    assert titles(page(run)) == [title for title in ORDER if title not in SECTIONS[missing]]


def test_the_command_that_makes_it_stands_under_each_section(run: Path) -> None:
    html = page(run)
    folder, data = shlex.quote(str(run)), "'my pairs'"
    evaluate = f"modaloom evaluate {folder} {data} --n 600"
    train = f"modaloom train {data} --out {shlex.quote(f'{run}-again')} --config "
    train += shlex.quote(str(run / "config.json"))
    expected = dict.fromkeys(ORDER, train) | dict.fromkeys(
        ("Headline", "Scores", "Diagnosis", "Warnings"), evaluate
    )
    expected["Information"] = f"modaloom evaluate {folder} {data} --mutual-information --n 200"
    expected |= dict.fromkeys(("Samples", "Worst"), "modaloom generate run given --want image")
    expected |= {"Code atlas": f"modaloom report {folder}", "Data": f"modaloom inspect {data}"}
    for title, section in zip(ORDER, re.findall(r"<section.*?</section>", html, re.S), strict=True):
        commands = re.findall(r'class="command"><code>(.*?)</code>', section)
        assert [unescape(command) for command in commands] == [expected[title]], title
        assert f'<a href="#{title.lower().replace(" ", "-")}">' in html
        assert f'<section id="{title.lower().replace(" ", "-")}">' in section


@pytest.mark.parametrize("damaged", [name for name in SECTIONS if name.endswith(".json")])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_file_is_named(run: Path, damaged: str, content: bytes) -> None:
    (run / damaged).write_bytes(content)
    assert f"<li>{damaged} is damaged.</li>" in page(run)


def test_an_empty_folder_has_a_page_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    assert titles(page(tmp_path)) == []
    assert "The training has not started." in page(tmp_path)
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
    assert "url(" not in html
    assert titles(html) == [title for title in ORDER if title not in ("Samples", "Worst", "Code atlas")]
    assert "30 files skipped." in html
    assert "0000.png" in page(run)
    assert "0000.png" not in html


def test_what_cannot_be_shown_is_named(run: Path) -> None:
    (run / "samples" / "wanted.image.png").write_bytes(b"")
    html = page(run)
    assert html.count("<img") == 4
    assert "wanted.image.png: is empty" in html
    (run / "data.json").unlink()
    assert "truth.image.png (its modality is unknown)" in page(run)


def test_the_page_does_not_grow_with_the_run(tmp_path: Path) -> None:
    short = write_run(tmp_path / "short", steps=400)
    long = write_run(tmp_path / "long", steps=8000)
    put(long / "usage.json", {"image": {"counts": [list(range(4096))], "perplexity": [3000.0]}})
    assert len(page(long)) < 1.1 * len(page(short)) + 10_000


def test_pictures_are_embedded_up_to_a_budget(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_section, "MAX_CHARACTERS", 100_000)
    Image.effect_noise((100, 100), 90).convert("RGB").save(run / "samples" / "wanted.image.png")
    index = json.loads((run / "samples" / "index.json").read_text())
    index["blocks"][0]["rows"] *= 20
    put(run / "samples" / "index.json", index)
    html = page(run)
    shown = html[: html.index('id="worst"')].count("<article><figure")
    assert 1 <= shown < 9
    assert f"{20 - shown} more in samples/" in html
    assert len(html) < 200_000


def test_the_headline_is_of_unseen_combinations_beside_its_rivals(run: Path) -> None:
    html = page(run)
    cards = re.findall(r'<article class="card">(.*?)</article>', html)
    assert len(cards) == 2
    reads = next(card for card in cards if "<h3>image → caption" in card)
    assert "unseen combinations (level 1), n 500" in reads
    assert "<b>0.62</b> of slots" in reads
    assert "interval" not in reads
    bars = dict(re.findall(r'class="bar (\w+)"><i style="width: (\d+)%"', reads))
    assert bars == {"value": "63", "retrieval": "71", "baseline": "33", "floor": "25", "ceiling": "100"}
    draws = next(card for card in cards if "<h3>caption → image" in card)
    assert "<b>21.50</b> dB PSNR" in draws


def test_a_headline_says_its_interval_and_whether_less_is_better(run: Path) -> None:
    row = {"row": "image->age", "split": "test", "metric": "error", "value": 0.5, "low": 0.4, "high": 0.625}
    put(run / "scores.json", {"rows": [row]})
    html = page(run)
    assert "95% interval 0.40 to 0.62" in html
    assert "standard deviations of error; less is better" in html
    assert ">low<" in html
    assert ">n<" not in html


def test_what_is_not_scored_is_said_beside_the_scores(run: Path) -> None:
    (section,) = re.findall(r'<section id="scores">.*?</section>', page(run), re.S)
    assert "3 of 9 directions are scored" in section


def test_where_nothing_is_given_the_headline_is_of_that(run: Path) -> None:
    put(run / "scores.json", {"rows": [row for row in scores() if row["row"].startswith("->")]})
    assert "<h3>nothing → image + caption</h3>" in page(run)


def test_information_is_a_matrix_filled_by_its_share_of_the_entropy(run: Path) -> None:
    html = page(run)
    (section,) = re.findall(r'<section id="information">.*?</section>', html, re.S)
    assert re.findall(r"--fill: (\d+)%", section) == ["70", "0"]
    assert re.findall(r"<b>(.*?)</b>", section) == ["7", "-0.12"]
    for text in ("6.50 to 7.50", "exact 7.25", "-0.62 to 0.38", "→ caption", "→ image"):
        assert text in section


def test_the_atlas_places_every_code_on_its_sheet(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas_section, "NUM_OPEN", 2)
    atlas = json.loads((run / "samples" / "atlas.json").read_text())
    atlas["image"] |= {"columns": 2}
    put(run / "samples" / "atlas.json", atlas)
    (section,) = re.findall(r'<section id="code-atlas">.*?</section>', page(run), re.S)
    assert re.findall(r'class="(\w+)" style="--x: (\d); --y: (\d)"', section) == [
        *(("look", "0", "0"), ("place", "0", "1")),
        *(("look", "1", "0"), ("place", "1", "1")),
        *(("look", "0", "2"), ("place", "0", "3")),
    ]
    assert re.findall(r"[\d.]+%(?=</small>)", section) == ["70.0%", "20.0%", "10.0%"]
    assert "code 5: 70.00% of all uses" in section
    assert "<summary>1 more</summary>" in section


def test_codes_of_a_tint_have_no_place(run: Path) -> None:
    atlas = json.loads((run / "samples" / "atlas.json").read_text())
    put(run / "samples" / "atlas.json", atlas | {"image, tint": {**atlas["image"], "whole": True}})
    (section,) = re.findall(r'<section id="code-atlas">.*?</section>', page(run), re.S)
    assert "image, tint: 3 codes in use" in section
    assert section.count('class="look"') == 2 * section.count('class="place"') == 6
    assert section.count("the two mean colours") == 1


def test_codes_of_texts_and_records_say_something(run: Path) -> None:
    said = {"names": [" a<b", "none"], "codes": [7, 0], "shares": [0.75, 0.25], "used": 2}
    atlas = json.loads((run / "samples" / "atlas.json").read_text())
    put(run / "samples" / "atlas.json", atlas | {"text": said})
    (section,) = re.findall(r'<section id="code-atlas">.*?</section>', page(run), re.S)
    assert "text: 2 codes in use" in section
    assert re.findall(r"<td>([\d.]+%)</td>", section) == ["75.0%", "25.0%"]
    assert "␣a&lt;b" in section


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
