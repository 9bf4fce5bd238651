"""Commands that reproduce a run's results, as printed in the report."""

import shlex

from modaloom.report.facts import Facts
from modaloom.report.tags import Html, tag
from modaloom.runs.store import CONFIG


def train(facts: Facts) -> str:
    """Returns the command that repeats the training in another folder, or resumes an unfinished one."""
    if not facts.finished:
        return _line("train", "--resume", "--out", facts.folder)
    config, again = facts.folder / CONFIG, f"{facts.folder}-again"
    return _line("train", _data(facts), "--out", again, "--config", config)


def evaluate(facts: Facts) -> str:
    """Returns the command for scores, diagnosis and warnings."""
    asked = ("--n", facts.scores["n"]) if "n" in facts.scores else ()
    return _line("evaluate", facts.folder, _data(facts), *asked)


def mutual_information(facts: Facts) -> str:
    """Returns the command for pairwise mutual information between streams."""
    most = max((pair["n"] for pair in facts.information["pairs"]), default=0)
    return _line("evaluate", facts.folder, _data(facts), "--mutual-information", "--n", most)


def report(facts: Facts) -> str:
    """Returns the command for the report."""
    return _line("report", facts.folder)


def inspect(facts: Facts) -> str:
    """Returns the command that inspects the data."""
    return _line("inspect", _data(facts))


def shown(command: str) -> Html:
    """Returns a command as a code block."""
    return tag("pre", tag("code", command), class_="command")


def _data(facts: Facts) -> object:
    return facts.data.get("folder", "FOLDER")


def _line(*words: object) -> str:
    return shlex.join(["modaloom", *map(str, words)])
