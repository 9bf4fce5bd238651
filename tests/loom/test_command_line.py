"""Spans of a value as text."""

import math

import pytest

from modaloom.cli.options import spans
from modaloom.loom.command_line import command_word, generate_command, told
from modaloom.loom.config import CodeSamplingConfig
from modaloom.tokenizers.spans import to_text


@pytest.mark.parametrize("span", [(0.0, 1.5), (0.1 + 0.2, 1 / 3), (1e-7, 12345.678901), (0.0, math.pi * 1e9)])
def test_commands_have_spans_exactly(span: tuple[float, float]) -> None:
    """Oracle: the command line reads the same numbers."""
    command = generate_command(
        "run", None, {}, ["sound"], 1, 0, CodeSamplingConfig(), {"sound": [span, span]}
    )
    (word,) = [word for word in command.split() if word.startswith("sound=")]
    assert spans([word]) == {"sound": [span, span]}


def test_whole_numbers_are_written_as_such() -> None:
    assert to_text((0.0, 16.0)) == to_text((0, 16)) == "0:16"


def test_an_answer_is_told_as_it_is_and_given_by_its_word() -> None:
    assert (told("@home"), command_word("@home")) == ("@home", "@@home")
    assert told({"age": 3}) == command_word({"age": 3}) == '{"age": 3}'
