"""RUN/report.html: a self-contained page, also for incomplete run folders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from modaloom.data.atomic_io import write_file
from modaloom.report import commands
from modaloom.report.atlas import atlas
from modaloom.report.curves import curves, usage
from modaloom.report.data import configuration, data
from modaloom.report.facts import Facts, read
from modaloom.report.findings import cautions, diagnosis, warnings
from modaloom.report.headline import headline
from modaloom.report.information import mutual_information
from modaloom.report.learning import learning
from modaloom.report.restored import restored
from modaloom.report.samples import samples as first_samples
from modaloom.report.samples import worst
from modaloom.report.scores import scores
from modaloom.report.tags import Html, join, number, tag

REPORT = "report.html"
REFRESH_SECONDS = 20
"""Interval in seconds at which the page of an unfinished run reloads."""

HEAD = """<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
"""
"""The content security policy blocks scripts and external resources, whatever the data contains."""


@dataclass(frozen=True)
class Section:
    """A section of the page; left out if it has no content."""

    title: str
    show: Callable[[Facts], Html | None]
    command: Callable[[Facts], str] | None = None
    """Command that reproduces it; None: the content includes it."""
    drawn: bool = False
    """Whether it shows samples."""


SECTIONS = (
    Section("Headline", headline, commands.evaluate),
    Section("Scores", scores, commands.evaluate),
    Section("Restored", restored, drawn=True),
    Section("Samples", first_samples, drawn=True),
    Section("Worst", worst, drawn=True),
    Section("Diagnosis", diagnosis, commands.evaluate),
    Section("Information", mutual_information, commands.mutual_information),
    Section("Learning", learning, commands.train, drawn=True),
    Section("Training", curves, commands.train),
    Section("Code atlas", atlas, commands.report, drawn=True),
    Section("Codebooks", usage, commands.train),
    Section("Data", data, commands.inspect),
    Section("Warnings", warnings, commands.evaluate),
    Section("Configuration", configuration, commands.train),
)
"""In the order of the page."""


def write_report(run_folder: Path, *, samples: bool = True) -> Path:
    """Writes the run's report, with or without samples and names of the data's files, and returns its path.

    Raises `BadRun` if there is no such folder, `WorkFailed` if the page cannot be written.
    """
    path = run_folder / REPORT
    write_file(path, _page(read(run_folder, private=not samples)).encode())
    return path


def _page(facts: Facts) -> str:
    made = [(s, s.show(facts)) for s in SECTIONS if not (facts.private and s.drawn)]
    shown = [(section, content) for section, content in made if content]
    body = [_section(section, content, facts) for section, content in shown]
    refresh = None if facts.finished else Html(f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">\n')
    return document(_name(facts), _top(facts, [section.title for section, _ in shown]), body, refresh)


def document(title: str, top: Html, body: Sequence[Html], refresh: Html | None = None) -> str:
    """Returns a whole page, with the style of all pages and nothing from elsewhere.

    Args:
        title: of the window.
        top: its header.
        body: its sections.
        refresh: a tag that loads it again; None: it stays.
    """
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    head = join(Html(HEAD), refresh, tag("title", f"{title} · modaloom"), tag("style", Html(style)))
    page = tag("html", tag("head", head), tag("body", top, tag("main", *body)), lang="en")
    return f"<!doctype html>\n{page}\n"


def _section(section: Section, content: Html, facts: Facts) -> Html:
    again = commands.shown(section.command(facts)) if section.command else None
    return tag("section", tag("h2", section.title), content, again, id=_anchor(section.title))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _name(facts: Facts) -> str:
    return facts.folder.resolve().name


def _top(facts: Facts, titles: list[str]) -> Html:
    """Returns the page header: name, summary, progress and links to the sections."""
    links = [tag("a", title, href=f"#{_anchor(title)}") for title in titles]
    return tag(
        "header",
        tag("p", "modaloom", class_="brand"),
        tag("h1", _name(facts)),
        tag("p", _summary(facts), class_="note"),
        None if facts.finished else _progress(facts),
        tag("nav", *links, aria_label="sections") if links else None,
    )


def _summary(facts: Facts) -> Html:
    """Returns streams, number of training samples, seed and number of warnings."""
    streams, n = facts.data.get("streams", {}), facts.data.get("counts", {}).get("train")
    seed, careful = facts.config.get("seed"), len(cautions(facts))
    parts = [
        ", ".join(streams) if streams else None,
        f"{number(n)} training samples" if n else None,
        f"seed {seed}" if seed is not None else None,
        tag("a", f"{careful} warning{'s' * (careful > 1)}", href="#warnings") if careful else None,
    ]
    return Html(" · ".join(join(part) for part in parts if part))


def _progress(facts: Facts) -> Html:
    last = next((line for line in reversed(facts.metrics) if "total" in line), None)
    if last is None:
        return tag("p", "The training has not started.", class_="note")
    words = f"Training {last['stage']}: step {last['step']:,} of {last['total']:,}. "
    return join(
        tag("progress", value=last["step"], max=last["total"], aria_label="training"),
        tag("p", words, f"This page loads itself again every {REFRESH_SECONDS} seconds.", class_="note"),
    )
