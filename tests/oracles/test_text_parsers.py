"""The texts' parsers: near misses are invalid, and every single typing error is put right.

Oracles: texts written by hand, and an enumeration of all errors with the textbook's edit distance.
"""

import re
from itertools import combinations, product
from string import ascii_lowercase

import pytest

from modaloom.world import STREAMS
from modaloom.world.parsers import PARSERS
from modaloom.world.parsers.typos import MIN_LENGTH, VOCABULARY, meant, one_error_apart, parse_noisy
from modaloom.world.scene import INVALID
from modaloom.world.splits import SPLITS, scene

SLOTS = ("shape", "colour", "size", "position", "motion")
EVERY = " ".join(SLOTS)
LONG = sorted(word for word in VOCABULARY if len(word) >= MIN_LENGTH)


def invalid(stream, text):
    return {slot for slot, value in PARSERS[stream](text).items() if value == INVALID}


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        ("caption.zh", "左上有一个小型的红色圆形，缓慢向左移动"),
        ("caption.classical", "西北有小圆，其色赤，徐而西行"),
        ("caption.brief", "sm red cir @tl, mv lt slw"),
        ("caption.noisy", "a smal red circcle at the top lwft, moving letf slowlly"),
    ],
)
def test_texts_written_by_hand_are_read(stream, text):
    said = ("circle", "red", "small", "top left", "left slow")
    assert PARSERS[stream](text) == dict(zip(SLOTS, said))


@pytest.mark.parametrize(
    ("stream", "text", "wrong"),
    [
        ("caption.zh", "左上有一个小型的红色圆形", ""),
        ("caption.zh", "左上有一个红色圆形", "size"),
        ("caption.zh", "左上有一个小型大型的红色圆形", "size"),
        ("caption.zh", "上左有一个小型的红色圆形", EVERY),
        ("caption.zh", "左上有一个小型的红圆形", EVERY),
        ("caption.zh", "左上有一个小型的红色红色圆形", EVERY),
        ("caption.zh", "左上有一个小型的红色圆形，向左移动", EVERY),
        ("caption.zh", "左上有一个小型的红色圆形，缓慢向左移动，它向上快速移动", "motion"),
        ("caption.zh", "a small red circle at the top left", EVERY),
        ("caption.zh", "", EVERY),
        ("caption.classical", "西北有小圆，其色赤", ""),
        ("caption.classical", "西北有圆，其色赤", "size"),
        ("caption.classical", "西有小圆，其色赤", EVERY),
        ("caption.classical", "北西有小圆，其色赤", EVERY),
        ("caption.classical", "西北有小圆，其色赤，西行", EVERY),
        ("caption.classical", "西北有小圆，其色红", EVERY),
        ("caption.classical", "西北有小圆方，其色赤", "shape"),
        ("caption.classical", "", EVERY),
        ("caption.brief", "sm red cir @tl", ""),
        ("caption.brief", "red cir @tl", "size"),
        ("caption.brief", "sm red grn cir @tl", "colour"),
        ("caption.brief", "sm red cir @lt", EVERY),
        ("caption.brief", "smred cir @tl", EVERY),
        ("caption.brief", "sm red circle @tl", EVERY),
        ("caption.brief", "sm red cir @tl, mv lt", EVERY),
        ("caption.brief", "sm red cir @tl, mv slw lt", EVERY),
        ("caption.brief", "", EVERY),
        ("caption.noisy", "a smll red crcle at the top letf", ""),
        ("caption.noisy", "a sml red circle at the top left", EVERY),
        ("caption.noisy", "a small rd circle at the top left", EVERY),
        ("caption.noisy", "a small red circle at the tpo left", EVERY),
        ("caption.noisy", "a small red circle at top", EVERY),
        ("caption.noisy", "a small red smalll circle at the top left", "size"),
        ("caption.noisy", "", EVERY),
    ],
)
def test_near_misses_are_invalid(stream, text, wrong):
    assert invalid(stream, text) == set(wrong.split())


@pytest.mark.parametrize("stream", ["caption.zh", "caption.classical", "caption.brief"])
def test_every_text_is_read_without_a_miss(stream):
    for split, index in product(SPLITS, range(300)):
        one = scene(21, split, index)
        assert PARSERS[stream](STREAMS[stream].render(one)) == {slot: one.facts[slot] for slot in SLOTS}


def distance(one, other):
    """Damerau and Levenshtein's, of optimal string alignment."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, j in product(range(1, len(one) + 1), range(1, len(other) + 1)):
        wrong = table[i - 1, j - 1] + (one[i - 1] != other[j - 1])
        table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, wrong)
        if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
            table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one), len(other)]


def mistyped(word):
    """All that one error makes of a word."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    yield from (left + right[1:] for left, right in cuts)
    yield from (left + right[1::-1] + right[2:] for left, right in cuts)
    for letter, (left, right) in product(ascii_lowercase, cuts):
        yield from (left + letter + right, left + letter + right[1:])


def test_every_error_in_every_word_is_put_right():
    assert len(LONG) > 25
    assert {
        (typed, meant(typed)) for word in LONG for typed in mistyped(word) if meant(typed) != word
    } == set()


def test_known_words_are_far_apart():
    assert [pair for pair in combinations(LONG, 2) if distance(*pair) < 3] == []
    assert [pair for pair in product(LONG, VOCABULARY - set(LONG)) if distance(*pair) < 2] == []


def test_one_error_is_a_distance_of_one():
    for one in LONG[:8]:
        for other in {*list(mistyped(one))[::9], *list(mistyped(one[1:]))[::9], *LONG}:
            assert one_error_apart(one, other) == (distance(one, other) <= 1)


def words(text):
    return re.findall("[a-z]+", text)


def test_the_noisy_caption_is_the_caption_with_errors():
    """With 0.3 an error, but a share of the swaps and mistakes change nothing."""
    long = wrong = 0
    for index in range(1000):
        one = scene(5, "train", index)
        clean, noisy = (words(STREAMS[name].render(one)) for name in ("caption", "caption.noisy"))
        for word, typed in zip(clean, noisy, strict=True):
            assert distance(word, typed) <= (len(word) >= MIN_LENGTH)
            long, wrong = long + (len(word) >= MIN_LENGTH), wrong + (word != typed)
    assert 0.25 < wrong / long < 0.3


def test_two_errors_in_a_word_are_not_guessed():
    assert meant("crclee") == "crclee"
    assert set(parse_noisy("a small red crclee at the top left").values()) == {INVALID}
