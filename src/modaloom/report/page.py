"""RUN/report.html: one page that needs nothing else, whatever part of the run folder is there yet."""

import json
import shlex
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from modaloom.report.curves import curves, usage
from modaloom.report.facts import Facts, read
from modaloom.report.samples import samples as sample_blocks
from modaloom.report.scores import scores
from modaloom.report.tags import Html, join, number, table, tag
from modaloom.runs.durable import write_file
from modaloom.runs.store import CONFIG

REPORT = "report.html"
REFRESH = 20
"""Seconds after which the page of an unfinished run loads itself again."""
SKIPPED = 20
"""Most skipped files that are listed."""

HEAD = """<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
"""
"""The policy lets a browser load nothing and run nothing, whatever the data holds."""


def write_report(run_folder: Path, *, samples: bool = True) -> Path:
    """Write the run's page, with or without its samples, and return its path.

    Raises `BadRun` if there is no such folder, `WorkFailed` if the page cannot be written.
    """
    path = run_folder / REPORT
    write_file(path, _page(read(run_folder), samples).encode())
    return path


def _page(facts: Facts, samples: bool) -> str:
    sections: dict[str, Callable[[Facts], Html | None]] = {
        "Scores": scores,
        **({"Samples": sample_blocks} if samples else {}),
        "Warnings": _warnings,
        "Training": curves,
        "Codebooks": usage,
        "Data": _data,
        "Make it again": _again,
    }
    made = {title: section(facts) for title, section in sections.items()}
    body = [tag("section", tag("h2", title), content) for title, content in made.items() if content]
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    refresh = None if facts.finished else Html(f'<meta http-equiv="refresh" content="{REFRESH}">\n')
    head = join(Html(HEAD), refresh, tag("title", f"{_name(facts)} · modaloom"), tag("style", Html(style)))
    return (
        "<!doctype html>\n"
        + tag("html", tag("head", head), tag("body", _top(facts), *body), lang="en")
        + "\n"
    )


def _name(facts: Facts) -> str:
    return facts.folder.resolve().name


def _top(facts: Facts) -> Html:
    """The run's name, what it found, and how far it is."""
    headline = [tag("li", sentence) for sentence in facts.scores.get("headline", [])]
    return tag(
        "header",
        tag("h1", _name(facts)),
        None if facts.finished else _progress(facts),
        tag("ul", *headline) if headline else None,
    )


def _progress(facts: Facts) -> Html:
    last = next((line for line in reversed(facts.metrics) if "total" in line), None)
    if last is None:
        return tag("p", "The training has not started.", class_="note")
    words = f"Training {last['stage']}: step {last['step']:,} of {last['total']:,}. "
    return join(
        tag("progress", value=last["step"], max=last["total"], aria_label="training"),
        tag("p", words, f"This page loads itself again every {REFRESH} seconds.", class_="note"),
    )


def _warnings(facts: Facts) -> Html | None:
    sentences = [*facts.scores.get("warnings", []), *(f"{file} is damaged." for file in facts.damaged)]
    return (
        tag("ul", *(tag("li", sentence) for sentence in sentences), class_="warnings") if sentences else None
    )


def _data(facts: Facts) -> Html | None:
    """Streams, samples in each split, and what was skipped."""
    data = facts.data
    if not data:
        return None
    streams = [
        [name, stream.get("modality"), stream.get("tokenizer"), "×".join(map(str, stream.get("grid", [])))]
        for name, stream in data.get("streams", {}).items()
    ]
    counts = ", ".join(f"{split} {number(n)}" for split, n in data.get("counts", {}).items())
    skipped = data.get("skipped", [])
    listed = [tag("li", entry) for entry in skipped[:SKIPPED]]
    rest = f"… and {len(skipped) - SKIPPED} more" if len(skipped) > SKIPPED else None
    return join(
        table(["stream", "modality", "tokenizer", "positions"], streams),
        tag("p", f"Samples: {counts}. ", data.get("split")),
        tag("details", tag("summary", f"{len(skipped)} skipped"), tag("ul", *listed), rest)
        if skipped
        else None,
    )


def _again(facts: Facts) -> Html:
    """Commands, and the configuration that they use."""
    configuration = tag("pre", json.dumps(facts.config, indent=2, ensure_ascii=False))
    return join(
        tag("pre", "\n".join(_commands(facts))),
        tag("details", tag("summary", "configuration"), configuration) if facts.config else None,
    )


def _commands(facts: Facts) -> list[str]:
    run = shlex.quote(str(facts.folder))
    folder = shlex.quote(str(facts.data.get("folder", "FOLDER")))
    config = shlex.quote(str(facts.folder / CONFIG))
    first = f"modaloom train {folder} --out {run}-again --config {config}"
    if not facts.finished:
        first = f"modaloom train --resume --out {run}"
    return [first, f"modaloom evaluate {run} {folder}", f"modaloom report {run}"]
