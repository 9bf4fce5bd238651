"""The commands that make a run's figures again, as the page prints them."""

import shlex

from modaloom.report.facts import Facts
from modaloom.report.tags import Html, tag
from modaloom.runs.store import CONFIG


def train(facts: Facts) -> str:
    """The same training into another folder; of an unfinished run, the rest of it."""
    if not facts.finished:
        return _line("train", "--resume", "--out", facts.folder)
    config, again = facts.folder / CONFIG, f"{facts.folder}-again"
    return _line("train", _data(facts), "--out", again, "--config", config)


def evaluate(facts: Facts) -> str:
    """The scores, the diagnosis and the warnings."""
    asked = ("--n", facts.scores["n"]) if "n" in facts.scores else ()
    return _line("evaluate", facts.folder, _data(facts), *asked)


def mutual_information(facts: Facts) -> str:
    """What the streams tell about each other."""
    most = max((pair["n"] for pair in facts.information["pairs"]), default=0)
    return _line("evaluate", facts.folder, _data(facts), "--mutual-information", "--n", most)


def report(facts: Facts) -> str:
    """This page."""
    return _line("report", facts.folder)


def inspect(facts: Facts) -> str:
    """What is in the data."""
    return _line("inspect", _data(facts))


def shown(command: str) -> Html:
    """A command as it stands under what it makes."""
    return tag("pre", tag("code", command), class_="command")


def _data(facts: Facts) -> object:
    return facts.data.get("folder", "FOLDER")


def _line(*words: object) -> str:
    return shlex.join(["modaloom", *map(str, words)])
