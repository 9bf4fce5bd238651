"""Caption, question and answer → factors, by exact words. Shares no code with the renderers."""

from collections.abc import Mapping

from modaloom.world.parsers.lexicon import Lexicon, moves
from modaloom.world.scene import INVALID


def _same(words: str) -> dict[str, str]:
    return {word: word for word in words.split()}


PLACES = {
    f"{row} {column}": f"{row} {column}"
    for row in _same("top middle bottom")
    for column in _same("left centre right")
}
SHAPES, COLOURS = _same("circle square triangle star"), _same("red green blue yellow purple orange")
SIZES: Mapping[str, str] = {"small": "small", "tiny": "small", "large": "large", "huge": "large"}

CAPTION = Lexicon(
    {
        "shape": SHAPES,
        "colour": COLOURS,
        "size": SIZES,
        "position": PLACES,
        "motion": moves(
            [
                order.replace("go", verb)
                for order in ("go {way} {pace}", "{pace} go {way}")
                for verb in ("moving", "heading", "drifting", "gliding")
            ],
            _same("left right up down"),
            {"slowly": "slow", "quickly": "fast"},
        ),
    },
    glue=_same("a the there is in at holds sits that it and"),
)
QUESTION = Lexicon(
    {
        "asked": {
            **_same("shape colour size position background"),
            "small or large": "size",
            "how large": "size",
            "where": "position",
        }
    },
    glue=_same("what which how is it its the or shown does have sit dark light bright"),
)
ANSWERS = frozenset({*SHAPES, *COLOURS, *PLACES, "small", "large", "dark", "light"})


def parse_caption(text: str) -> dict[str, str]:
    """Shape, colour, size, position and motion → value or `INVALID`; see `Lexicon.parse_caption`."""
    return CAPTION.parse_caption(text)


def parse_question(text: str) -> dict[str, str]:
    """`asked` → the one factor that the question is about, or `INVALID`."""
    return QUESTION.parse(text.removesuffix("?"))


def parse_answer(text: str) -> dict[str, str]:
    """`answer` → the value, or `INVALID`."""
    return {"answer": text if text in ANSWERS else INVALID}
