"""Questions about two objects with their answers: number, position and relation."""

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
    """All questions about a scene, by kind.

    Args:
        first: the first object of the relation.
        second: the second object.
        relation: of the first to the second.
        position: corner of the first object.

    Returns:
        Kind → questions: numbers of every colour and shape, positions and relations of both objects.
    """
    traits = [first.shape, first.colour, second.shape, second.colour]
    return {
        NUMBER: [
            Question(NUMBER, value, NUMBERS[traits.count(value)])
            # Traits that occur are repeated, so that zero is not the most frequent answer.
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
