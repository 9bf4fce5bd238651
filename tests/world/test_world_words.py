"""Words: short, and no longer for one value than for another."""

import re
from collections import Counter, defaultdict
from dataclasses import replace
from math import log2

import pytest

from modaloom.world import STREAMS
from modaloom.world.brief import BRIEF
from modaloom.world.chinese import CHINESE, CLASSICAL
from modaloom.world.scene import FACTORS, STILL
from modaloom.world.splits import scene
from modaloom.world.words import CAPTION, answer, caption, question

BOOKS = (CAPTION, CHINESE, CLASSICAL, BRIEF)
SCENES = [scene(0, "train", i) for i in range(4000)]
TEXTS = {
    stream: [STREAMS[stream].render(one) for one in SCENES]
    for stream in ("caption.noisy", *(book.stream for book in BOOKS))
}
"""Caption stream → its texts."""


def mutual_information(one, other):
    """Mutual information in bits of two sequences, minus its bias for independent ones (Miller and Madow)."""
    n, joint, left, right = len(one), Counter(zip(one, other)), Counter(one), Counter(other)
    plain = sum(c / n * log2(c * n / (left[a] * right[b])) for (a, b), c in joint.items())
    return plain - (len(left) - 1) * (len(right) - 1) / (2 * n) * 1.4427


def length(stream, text):
    """In words; in characters where words are not apart, or all of one length."""
    return len(text.split()) if stream in ("caption", "caption.noisy") else len(text)


SILENT = [factor for factor in FACTORS if factor != "motion"]
"""Factors that no text's length may tell: whether something moves, it does."""


@pytest.mark.parametrize("stream", TEXTS)
@pytest.mark.parametrize("factor", SILENT)
def test_a_texts_length_tells_no_factor(stream, factor):
    lengths = [length(stream, text) for text in TEXTS[stream]]
    assert len(set(lengths)) > 1
    assert mutual_information(lengths, [getattr(one, factor) for one in SCENES]) < 0.005


@pytest.mark.parametrize("stream", TEXTS)
@pytest.mark.parametrize("factor", SILENT)
def test_another_value_makes_no_text_longer(stream, factor):
    """Exactly: with the same nuisance, every value of a factor takes the same length."""
    for one in SCENES[:200]:
        others = [replace(one, **{factor: value}) for value in FACTORS[factor]]
        assert len({length(stream, STREAMS[stream].render(other)) for other in others}) == 1


@pytest.mark.parametrize("stream", TEXTS)
def test_a_texts_length_tells_whether_something_moves_and_no_more(stream):
    for one in SCENES[:200]:
        moves = [replace(one, motion=move) for move in FACTORS["motion"]]
        still, *moving = (length(stream, STREAMS[stream].render(other)) for other in moves)
        assert len(set(moving)) == 1
        assert still < moving[0]


@pytest.mark.parametrize("factor", SILENT)
def test_the_number_of_letters_tells_little(factor):
    lengths = [len(text) for text in TEXTS["caption"]]
    assert mutual_information(lengths, [getattr(one, factor) for one in SCENES]) < 0.25


def test_information_is_found_where_there_is_some():
    shapes = [one.shape for one in SCENES]
    assert mutual_information([len(shape) for shape in shapes], shapes) > 0.5


def test_captions_are_short_lower_case_and_varied():
    for one, text in zip(SCENES, TEXTS["caption"]):
        assert len(text.split()) <= (12 if one.motion == STILL else 15)
        assert text == text.lower()


@pytest.mark.parametrize("stream", TEXTS)
def test_one_scene_is_described_in_many_ways(stream):
    for motion in ("still", "left slow"):
        one = replace(SCENES[0], motion=motion)
        texts = {STREAMS[stream].render(replace(one, nuisance=i)) for i in range(200)}
        novel = {STREAMS[stream].render(replace(one, nuisance=i, novel_words=True)) for i in range(200)}
        assert len(texts) >= 5
        assert len(novel) >= 3
        assert not texts & novel


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stream)
def test_motion_follows_on_the_sentence_of_the_scene_at_rest(book):
    def clauses(novel):
        for i in range(100):
            still = replace(SCENES[0], motion=STILL, nuisance=i, novel_words=novel)
            moves, rests = (book.render(one) for one in (replace(still, motion="up fast"), still))
            assert moves.startswith(rests)
            yield moves[len(rests) :]

    seen, novel = set(clauses(False)), set(clauses(True))
    assert not seen & novel
    assert (len(seen), len(novel)) == (len(book.motions.seen), len(book.motions.novel))


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.stream)
def test_held_out_paraphrases_are_new_orders_of_known_words(book):
    for said in (book.sentences, book.motions):
        assert len(set(said.seen)) == len(said.seen) >= 5
        assert set(said.novel).isdisjoint(said.seen)
        seen, novel = (words(texts) for texts in (said.seen, said.novel))
        assert novel <= seen


def words(texts):
    """Slots, and words or Chinese characters."""
    return {word for text in texts for word in re.findall(r"{\w+}|[a-z]+|[^\W{}]", text)}


def test_articles_fit_their_words():
    assert not any(f" a {vowel}" in f" {caption(one)}" for one in SCENES for vowel in "aeiou")


def test_the_question_tells_what_is_asked_and_never_the_answer():
    answers = defaultdict(set)
    for one in SCENES:
        answers[question(one)].add(answer(one))
    assert len(answers) == 15
    for one in SCENES:
        assert answers[question(one)] == set(FACTORS[one.asked])
