"""The same held-out samples at several steps of the training, to go through without a script."""

from modaloom.report.facts import Facts, Json
from modaloom.report.samples import MAX_CHARACTERS, value
from modaloom.report.tags import Html, join, tag
from modaloom.runs.store import PROGRESS


def learning(facts: Facts) -> Html | None:
    """Returns one frame for each snapshot, the last one shown, and their steps to choose from."""
    shots, streams = facts.progress.get("snapshots", []), facts.data.get("streams", {})
    if not shots:
        return None
    frames = [_frame(facts, shot["rows"], streams) for shot in shots]
    while len(frames) > 1 and sum(map(len, frames)) > MAX_CHARACTERS:
        shots, frames = shots[1:], frames[1:]
    last = len(shots) - 1
    inputs = [
        tag("input", type="radio", name="step", id=f"step-{i}", checked="" if i == last else None)
        for i in range(len(shots))
    ]
    labels = [tag("label", f"{shot['step']:,}", for_=f"step-{i}") for i, shot in enumerate(shots)]
    shown = ", ".join(f"#step-{i}:checked ~ #frame-{i}" for i in range(len(shots)))
    marked = ", ".join(f"#step-{i}:checked ~ nav label:nth-of-type({i + 1})" for i in range(len(shots)))
    style = Html(f"{shown} {{ display: grid; }}\n{marked} {{ font-weight: 650; color: var(--link); }}")
    words = (
        "The same held-out samples after these numbers of steps, each stream drawn from all others, seed 0; "
        "below, what their codes decode to. Few sampling steps, and the weights of that moment."
    )
    truth = tag("div", *_cells(facts, facts.progress.get("truth", []), streams), class_="frame truth")
    boxes = [tag("div", frame, class_="frame", id=f"frame-{i}") for i, frame in enumerate(frames)]
    return join(
        tag("p", words, class_="note"),
        tag("style", style),
        tag("div", *inputs, tag("nav", *labels, aria_label="steps"), *boxes, truth, class_="scrubber"),
    )


def _frame(facts: Facts, rows: list[Json], streams: Json) -> Html:
    return join(*_cells(facts, rows, streams))


def _cells(facts: Facts, rows: list[Json], streams: Json) -> list[Html]:
    folder = facts.folder / PROGRESS
    return [
        tag("article", *(value(folder, stream, file, streams) for stream, file in row.items()))
        for row in rows
    ]
