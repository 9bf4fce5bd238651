"""Words about two objects: the same length for every value, and both objects named first as often."""

import pytest

from modaloom.world.duo import STREAMS
from modaloom.world.duo.scene import FACTORS
from modaloom.world.duo.splits import scene
from modaloom.world.duo.words import CAPTIONS, NOVEL_CAPTIONS, answer, caption, question

SCENES = [scene(0, "train", i) for i in range(3000)]


@pytest.mark.parametrize("name", FACTORS)
def test_the_number_of_words_tells_no_factor(name):
    """The mean number of words is the same for all values, within four standard errors."""
    lengths = {value: [] for value in FACTORS[name]}
    for one in SCENES:
        lengths[one.factors[name]].append(len(caption(one).split()))
    every = [n for group in lengths.values() for n in group]
    mean = sum(every) / len(every)
    spread = (sum((n - mean) ** 2 for n in every) / len(every)) ** 0.5
    for found in lengths.values():
        assert abs(sum(found) / len(found) - mean) < 4 * spread / len(found) ** 0.5


def test_either_object_is_named_first_as_often():
    first = [caption(one).find(one.first.name) < caption(one).find(one.second.name) for one in SCENES]
    assert abs(sum(first) / len(first) - 0.5) < 0.05


def test_held_out_paraphrases_are_new_orders_of_known_words():
    words = [
        {word.strip(":,") for text in texts for word in text.split()} for texts in (CAPTIONS, NOVEL_CAPTIONS)
    ]
    assert words[1] <= words[0]
    assert not set(CAPTIONS) & set(NOVEL_CAPTIONS)


def test_captions_fit_the_tokens_and_questions_never_answer():
    for one in SCENES:
        assert len(caption(one).split()) <= 17
        assert answer(one) not in question(one)


def test_a_question_and_a_caption_fix_the_answer():
    """No two scenes with the same words but their order of naming answer differently."""
    answers = {}
    for one in SCENES:
        facts = {name: one.facts[name] for name in (*STREAMS["caption"].determines, "asked", "about")}
        assert answers.setdefault(tuple(facts.values()), one.answer) == one.answer
