"""Restored held-out signals, and their scores."""

from modaloom.report import commands
from modaloom.report.facts import Facts, Json
from modaloom.report.samples import MAX_CHARACTERS, more, value, within
from modaloom.report.tags import Html, join, number, table, tag
from modaloom.runs.store import SAMPLES

ROLES = {
    "given": "given",
    "baseline": "linear filter",
    "mean": "mean",
    "sample": "sample",
    "truth": "truth",
}
"""Key in samples/index.json → its name on the page."""
COLUMNS = {"floor": "given", "baseline": "linear filter", "value": "this run"}
"""Field of a score → its name on the page."""
ROW = "restore:"
"""Prefix of a Restorer's rows."""
WORDS = (
    "The mean is the posterior mean, smoother than the truth; a sample is a posterior sample, as rough as "
    "the truth, and its details are made up. psnr, ssim and mse are the mean's; hf_energy_ratio is a "
    "sample's power in fine detail over the truth's; consistency is the RMS, in 1/255 of the range, between "
    "what is given and a sample that is degraded anew. The range is that of the type, of rasters that of the "
    "training values. The linear filter is fitted for these scores alone; a run starts from a filter of its "
    "own of the same kind."
)


def restored(facts: Facts) -> Html | None:
    """Returns scores, then a before/after slider and the samples of each subtask; None without any."""
    scores = [score for score in facts.scores.get("rows", []) if score["row"].startswith(ROW)]
    blocks = facts.samples.get("restored", [])
    if not scores and not blocks:
        return None
    lines = [[s["row"].removeprefix(ROW), s["split"], s["metric"], *_figures(s), s.get("n")] for s in scores]
    budget = MAX_CHARACTERS // max(1, len(blocks))
    return join(
        table(["part", "split", "metric", *COLUMNS.values(), "n"], lines) if lines else None,
        tag("p", WORDS, class_="note"),
        commands.shown(commands.evaluate(facts)) if lines else None,
        *(_block(facts, block, budget, first=i == 0) for i, block in enumerate(blocks)),
        commands.shown(commands.train(facts)) if blocks else None,
    )


def _figures(score: Json) -> list[str]:
    return [number(score.get(name)) for name in COLUMNS]


def _block(facts: Facts, block: Json, budget: int, *, first: bool) -> Html:
    rows = within(budget, (_row(facts, block["stream"], row) for row in block["rows"]))
    return tag(
        "details",
        tag("summary", tag("h3", block["part"]), f" {len(block['rows'])} samples"),
        _slider(facts, block["stream"], block["rows"][0]),
        *rows,
        more(len(block["rows"]) - len(rows)),
        open="" if first else None,
    )


def _row(facts: Facts, stream: str, row: Json) -> Html:
    figures = [
        tag("figure", tag("figcaption", words), _shown(facts, stream, row[role]))
        for role, words in ROLES.items()
        if role in row
    ]
    return tag("div", *figures, class_="wall")


def _slider(facts: Facts, stream: str, row: Json) -> Html | None:
    """Returns a before/after slider of input and posterior mean."""
    if "before" not in row or "mean" not in row:
        return None
    before, after = (_shown(facts, stream, row[role]) for role in ("before", "mean"))
    sides = join(tag("div", after), tag("div", before, class_="before", tabindex=0))
    words = tag("figcaption", "Given on the left, mean on the right: drag the corner of the left one.")
    return tag("figure", words, tag("div", sides, class_="slider"))


def _shown(facts: Facts, stream: str, file: str) -> Html:
    return value(facts.folder / SAMPLES, stream, file, facts.data.get("streams", {}))
