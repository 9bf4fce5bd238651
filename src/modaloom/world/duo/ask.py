"""What is asked about two objects, and its answer: how many, where, and what stands in a relation."""

from dataclasses import dataclass

from modaloom.world.duo.scene import INVERSE, Thing, beside
from modaloom.world.scene import FACTORS

NUMBERS = ("zero", "one", "two")
NUMBER, POSITION = "number", "position"


@dataclass(frozen=True)
class Question:
    """See `Scene.asked`, `Scene.about`."""

    asked: str
    about: str
    answer: str


def questions(first: Thing, second: Thing, relation: str, position: str) -> dict[str, list[Question]]:
    """Kind of question → all of it that can be asked: numbers of every colour and shape, positions and
    relations of both objects."""
    traits = [first.shape, first.colour, second.shape, second.colour]
    return {
        NUMBER: [
            Question(NUMBER, value, NUMBERS[traits.count(value)])
            # What is there is asked for more often, so that zero is not the usual answer.
            for value in (*FACTORS["colour"], *FACTORS["shape"], *traits, *traits)
        ],
        POSITION: [
            Question(POSITION, first.name, position),
            Question(POSITION, second.name, beside(relation, position)),
        ],
        "relation": [
            Question(relation, second.name, first.name),
            Question(INVERSE[relation], first.name, second.name),
        ],
    }
