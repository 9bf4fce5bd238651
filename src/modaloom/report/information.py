"""Pairwise mutual information between streams."""

from modaloom.report.facts import Facts, Json
from modaloom.report.tags import Html, join, number, table, tag

WORDS = (
    "Bits that the given stream tells about the wanted one, by the model's bounds on held-out samples; a "
    "cell is full where nothing is left open. What two streams share is one number: where the two figures of "
    "a pair differ, the smaller is nearer to it."
)


def mutual_information(facts: Facts) -> Html | None:
    """Returns a matrix of inputs × targets; None if it was not measured."""
    pairs = facts.information.get("pairs", [])
    if not pairs:
        return None
    cells = {(pair["given"], pair["want"]): _cell(pair) for pair in pairs}
    givens, wants = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in ("given", "want"))
    rows = [[given, *(cells.get((given, want)) for want in wants)] for given in givens]
    return join(
        table(["given", *(f"→ {want}" for want in wants)], rows, class_="matrix"),
        tag("p", WORDS, class_="note"),
    )


def _cell(pair: Json) -> Html:
    """Returns bits, interval and exact value, filled in proportion to the target's entropy."""
    bits, entropy, low, high = (pair.get(name) for name in ("bits", "entropy", "low", "high"))
    share = bits / entropy if bits is not None and entropy else 0
    interval = None if low is None or high is None else f"{low:.2f} to {high:.2f}"
    exact = None if pair.get("exact") is None else f"exact {pair['exact']:.2f}"
    chip = tag(
        "span",
        tag("small", "bits"),
        tag("b", number(None if bits is None else round(bits, 2))),
        class_="chip",
        style=f"--fill: {round(100 * min(1, max(0, share)))}%",
    )
    return join(chip, *(tag("small", line) for line in (interval, exact) if line))
