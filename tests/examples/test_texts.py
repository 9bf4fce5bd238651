"""The examples and benchmarks of text: style of verses, typing errors. Oracle: by hand."""

import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from modaloom.data.folder import open_folder
from modaloom.evaluation.rows import ScoreRow

PRINTED = """Psalms 2:12: Kiss the Son, [2.12 Kiss…: or, Receive] lest he be angry.


A Psalm of David.
   Psalms 3:1: Yahweh, how my adversaries have increased!
Many are “those” who rise [3:1 or, stand] up. ¶
"""


def test_verses_without_notes_titles_and_lines(load: Any) -> None:
    assert load("examples/verses")["verses"](PRINTED, "Psalms") == {
        (2, 12): "Kiss the Son, lest he be angry.",
        (3, 1): 'Yahweh, how my adversaries have increased! Many are "those" who rise up.',
    }


@pytest.mark.skipif(shutil.which("diatheke") is None, reason="needs diatheke and two of its texts")
def test_both_versions_of_a_book(load: Any) -> None:
    script = load("examples/verses")
    found = dict(script["pairs"]("Jonah"))
    if not found:
        pytest.skip("needs sword-text-kjv and sword-text-web")
    assert found["002-001"] == {
        "modern": "Then Jonah prayed to Yahweh, his God, out of the fish's belly.",
        "archaic": "Then Jonah prayed unto the LORD his God out of the fish's belly,",
    }


def test_whole_books_are_held_out(load: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write = load("examples/verses")["write_books"]
    said = {name: f"{name} 1:2: Second.\n{name} 1:1: First.\n" for name in ("Ruth", "I John")}
    monkeypatch.setitem(write.__globals__, "printed", lambda module, book: said.get(book, ""))
    write(tmp_path / "books")
    found = {path.parent.name + "/" + path.name: path.read_text() for path in tmp_path.rglob("*.txt")}
    assert found == dict.fromkeys(["test/Ruth.txt", "train/I_John.txt"], "First.\nSecond.\n")


def test_words_are_substituted_by_what_they_are_aligned_with(load: Any) -> None:
    verses = load("benchmarks/verses")
    pairs = [
        ("You go to Dan", "Thou go unto Dan"),
        ("Go to him", "Go unto him"),
        ("to be, you", "to be, thou"),
    ]
    table = verses["substitutions"](pairs)
    assert table[" to"] == " unto"
    assert verses["substituted"]("You speak to Dan, the old", table) == "Thou speak unto Dan, the old"


def test_names_and_numbers_of_both_texts_count(load: Any) -> None:
    kept = load("benchmarks/verses")["share_kept"]
    pairs = [("He saw Dan, and Reu, with ten men", "And Dan he saw, and ten men of Yah")]
    assert kept(pairs, ["Dan and ten"]) == 1
    assert kept(pairs, ["Dan and Reu"]) == 0.5
    assert kept([("a", "b")], ["c"]) == 1


def test_a_speller_takes_the_likely_word(load: Any) -> None:
    typos = load("benchmarks/typos")
    speller = typos["Speller"](["the river is deep", "the rider is near", "a river is near"] * 9, 2.0)
    assert speller.correct("th riber is dep") == "the river is deep"
    assert typos["error"](["abd", "x"], ["abc", "x"]) == 0.25
    found = typos["figures_of"]([("th river", "the river")], ["the rivers"], speller)
    assert found["error of the input's"] == 1
    assert found["error, n-grams and edit distance"] == 0


def test_typing_errors_are_of_words_alone_and_repeat(load: Any) -> None:
    degrade = load("examples/typos")["degrade"]
    text = "You went without 30 people to the river, because the weather was beautiful."
    found = [degrade(text, random.Random(seed)) for seed in range(200)]
    assert found == [degrade(text, random.Random(seed)) for seed in range(200)]
    assert all("30" in one and one.count(",") == text.count(",") for one in found)
    for part in ("w/o", "bc", "ppl", "btfl", "rvr", "theriver"):
        assert any(part in one for one in found), part


def test_pairs_of_prose_have_fixed_splits(load: Any, tmp_path: Path) -> None:
    (tmp_path / "prose").mkdir()
    (tmp_path / "prose/a.txt").write_text("\n".join(f"Sentence {i}. And {'so on ' * 40}" for i in range(20)))
    load("examples/typos")["write_typos"](tmp_path / "prose", tmp_path / "out")
    folder = open_folder(tmp_path / "out")
    assert folder.modality_of == {"noisy": "text", "text": "text"}
    assert {*(folder.splits or {}).values()} == {"train", "val", "test"}
    assert all(sample.streams.keys() == {"noisy", "text"} for sample in folder.samples)


def test_words_of_any_length_and_marks_of_files_are_no_loss(load: Any, tmp_path: Path) -> None:
    """Chinese prose has no spaces; some editors begin a file with a byte order mark."""
    line = "天地玄黃" * 100
    (tmp_path / "a.txt").write_bytes(f"\ufeffOne line.\r\n{line}\r\n{line} two words".encode())
    found = load("examples/typos")["sentences"](tmp_path / "a.txt")
    assert found[0] == "One line."
    assert "".join(found[1:]).replace(" ", "") == f"{line}{line}twowords"
    assert max(map(len, found)) == 120


def test_kneser_ney_by_hand(load: Any) -> None:
    """Bigrams of "abab": ab twice, ba once, so D = 1/3; a and b each follow one character, so that D = 1
    leaves all to the uniform distribution over three."""
    model = load("benchmarks/ngrams")["KneserNey"]("abab", "abc", 2)
    for character, context, expected in [
        ("b", "a", (2 - 1 / 3) / 2 + 1 / 6 / 3),
        ("c", "a", 1 / 6 / 3),
        ("a", "cb", 2 / 3 + 1 / 3 / 3),
        ("a", "", 1 / 3),
        ("a", "c", 1 / 3),
    ]:
        assert model.p(character, context) == pytest.approx(expected)
    assert model.bits("ab") == pytest.approx(-math.log2(1 / 3 * (5 / 6 + 1 / 18)))


def test_kneser_ney_is_a_distribution_and_counts_what_is_before(load: Any) -> None:
    """p(b) is above p(f), as frequent, since b follows three characters and f one."""
    kneser_ney = load("benchmarks/ngrams")["KneserNey"]
    draw = random.Random(0)
    text = "".join(draw.choice("aab ") for _ in range(300)) + "xbybzbsfsfsf"
    for n in (1, 2, 5):
        model = kneser_ney(text, {*text, "?"}, n)
        for context in ("", "a", "ba", "aab", "aaba", "qqqq", "ab?a", "xbyb"):
            total = sum(model.p(character, context) for character in model.alphabet)
            assert total == pytest.approx(1), (n, context)
    model = kneser_ney("xbybzbsfsfsf", "xyzbsf", 2)
    assert model.p("b", "") > model.p("f", "")


def test_what_was_written_is_compared_with_as_much_real_text(load: Any) -> None:
    script = load("benchmarks/long_text")
    assert script["entropy"]("abab") == 1
    assert script["repeated"]("x" * 21) == 0.5
    assert script["repeated"]("".join(map(chr, range(32, 90)))) == 0
    real = "".join(random.Random(0).choices("abcdefgh", k=2000))
    same = script["looks"](real, real)
    loop = script["looks"](real[:50] * 40, real)
    assert same["size in xz, off real text's"] == 0
    assert loop["size in xz, off real text's"] > 0.5
    halves = script["looks"]("abab", "aaaaababa")
    assert halves["entropy of characters, real"] == pytest.approx((0 + script["entropy"]("abab")) / 2)
    fresh = "".join(random.Random(1).choices("abcdefgh", k=500))
    seen, unseen = (script["rivals"](real, text) for text in (real[:500], fresh))
    assert seen["xz"] < 1 < 2.9 < min(unseen.values())
    assert unseen["Kneser–Ney 5-gram"] < 3.5


def test_unpaired_verses_are_each_in_one_style(load: Any, tmp_path: Path) -> None:
    script = load("benchmarks/text_style")
    for split, books in (("train", ("Acts", "Amos", "Ezra")), ("val", ("Job",))):
        (tmp_path / "verses" / split).mkdir(parents=True)
        for book in books:
            for style in ("modern", "archaic"):
                (tmp_path / "verses" / split / f"{book}-001-001.{style}.txt").write_text(
                    f"{style} {book}\n" * 3
                )
    script["write_unpaired"](tmp_path / "verses", tmp_path / "unpaired")
    folder = open_folder(tmp_path / "unpaired")
    assert folder.modality_of == {"text": "text", "style": "record"}
    texts = {path.name: path.read_text() for path in (tmp_path / "unpaired").rglob("*.txt")}
    assert texts == {
        f"{book}-001-001.text.txt": f"{style} {book}\n" * 3
        for book, style in (("Acts", "modern"), ("Amos", "archaic"), ("Ezra", "modern"), ("Job", "modern"))
    }
    judged = script["judges"](tmp_path / "unpaired")
    assert script["share_in_style"](judged, ["archaic", "modern", "日"], "archaic") == pytest.approx(1 / 3)


def test_chinese_figures_are_those_of_its_rows(load: Any) -> None:
    script = load("benchmarks/chinese")
    rows = [
        ScoreRow("caption.zh->caption.classical", "seen", "exact", 0.95, retrieval=0.4),
        ScoreRow("caption.zh->caption.classical", "seen", "slot.shape", 0.5),
        ScoreRow("nothing->caption.zh", "seen", "exact", 0.5),
    ]
    assert script["from_rows"](rows) == {
        "caption.zh->caption.classical, seen: exact": 0.95,
        "caption.zh->caption.classical, seen: exact, retrieval": 0.4,
    }
