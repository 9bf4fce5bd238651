"""Words: short, and no longer for one value than for another."""

from collections import Counter, defaultdict
from math import log2

import pytest

from modaloom.world.scene import FACTORS
from modaloom.world.splits import scene
from modaloom.world.words import CAPTIONS, NOVEL_CAPTIONS, answer, caption, question

SCENES = [scene(0, "train", i) for i in range(4000)]


def information(one, other):
    """Mutual information in bits of two sequences, minus its bias for independent ones (Miller and Madow)."""
    n, joint, left, right = len(one), Counter(zip(one, other)), Counter(one), Counter(other)
    plain = sum(c / n * log2(c * n / (left[a] * right[b])) for (a, b), c in joint.items())
    return plain - (len(left) - 1) * (len(right) - 1) / (2 * n) * 1.4427


@pytest.mark.parametrize("factor", FACTORS)
def test_the_number_of_words_tells_no_factor(factor):
    lengths = [len(caption(one).split()) for one in SCENES]
    assert len(set(lengths)) > 1
    assert information(lengths, [getattr(one, factor) for one in SCENES]) < 0.005


@pytest.mark.parametrize("factor", FACTORS)
def test_the_number_of_letters_tells_little(factor):
    lengths = [len(caption(one)) for one in SCENES]
    assert information(lengths, [getattr(one, factor) for one in SCENES]) < 0.25


def test_information_is_found_where_there_is_some():
    shapes = [one.shape for one in SCENES]
    assert information([len(shape) for shape in shapes], shapes) > 0.5


def test_captions_are_short_lower_case_and_varied():
    texts = [caption(one) for one in SCENES]
    assert max(len(text.split()) for text in texts) <= 12
    assert all(text == text.lower() for text in texts)
    by_factors = defaultdict(set)
    for one, text in zip(SCENES, texts):
        by_factors[one.shape, one.colour, one.position].add(text)
    assert max(map(len, by_factors.values())) >= 5


def test_held_out_paraphrases_are_new_orders_of_known_words():
    words = [{word for text in texts for word in text.split()} for texts in (CAPTIONS, NOVEL_CAPTIONS)]
    assert {word.strip(":,") for word in words[1]} <= {word.strip(":,") for word in words[0]}
    assert len(CAPTIONS) >= 5
    assert not set(CAPTIONS) & set(NOVEL_CAPTIONS)


def test_articles_fit_their_words():
    assert not any(f" a {vowel}" in f" {caption(one)}" for one in SCENES for vowel in "aeiou")


def test_the_question_tells_what_is_asked_and_never_the_answer():
    answers = defaultdict(set)
    for one in SCENES:
        answers[question(one)].add(answer(one))
    assert len(answers) == 15
    for one in SCENES:
        assert answers[question(one)] == set(FACTORS[one.asked])
