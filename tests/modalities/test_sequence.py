"""Letters of genes and proteins. Oracle: the FASTA format, as NCBI describes it (BLAST help, query input)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import sequence as sequences
from modaloom.modalities.sequence import SEQUENCE, SequenceLimits

SPEC = {"size": [8], "letters": "-ACGNT"}


@pytest.mark.parametrize(
    ("data", "letters"),
    [
        (">gene one | of two\nACGT\nAC\n", "ACGTAC"),
        ("; a comment\n>x\r\nACGT\r\n\r\nAC\r\n", "ACGTAC"),
        ("acgt nn-*\n", "ACGTNN-*"),
        (">nothing\n", ""),
        (">old Mac\rAC\rGT\r", "ACGT"),
        (">one\x0cHUMAN\x1cMOUSE\u2028DOG\nACGT\n", "ACGT"),
    ],
)
def test_letters_are_read(data: str, letters: str, tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(data.encode())
    assert sequences.read(path) == letters
    assert SEQUENCE.coerce(str(path)) == letters


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (">a\nAC\n>b\nGT\n", "holds 2 records; give each a file of its own"),
        ("AC\n>b\nGT\n", "holds 2 records"),
        (">a\nACGU\nA1C\n", "has '1' at letter 6; a sequence is of letters A to Z"),
        ("a sentence.\n", r"has '\.' at letter 10"),
        ("ACß\n", "has 'ß' at letter 3"),
        ("Aıﬁ\n", "has 'ı' at letter 2"),
    ],
)
def test_what_is_no_sequence_is_refused(data: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.fasta"
    path.write_text(data)
    with pytest.raises(BadFile, match=reason):
        sequences.read(path)


def test_a_str_is_letters_or_a_path() -> None:
    assert SEQUENCE.coerce("acg t") == "ACGT"
    with pytest.raises(BadValue, match="has '!' at letter 3"):
        SEQUENCE.coerce("AC!")
    with pytest.raises(BadFile, match=r"nowhere\.fasta: cannot be read"):
        SEQUENCE.coerce("nowhere.fasta")


@given(st.text("ACDEFGHIKLMNPQRSTVWYX*-", max_size=200))
def test_any_sequence_survives_a_file(tmp_path_factory: pytest.TempPathFactory, letters: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.fasta"
    sequences.write(letters, path)
    assert sequences.read(path) == letters
    assert all(len(line) <= 80 for line in path.read_text().splitlines())


def test_the_alphabet_has_what_was_seen_and_the_letter_for_any_other() -> None:
    dna, protein = (SEQUENCE.infer_spec(values, SequenceLimits(5)) for values in (["ACA", "TTTTTT"], ["MKL"]))
    assert dna == {"size": [5], "letters": "ACNT"}
    assert protein == {"size": [3], "letters": "KLMX"}
    with pytest.raises(BadValue, match="have no letters"):
        SEQUENCE.infer_spec(["", ""], SequenceLimits())


def test_a_long_sequence_is_cut_and_an_unseen_letter_is_any_letter() -> None:
    codec = SEQUENCE.categorical
    packed = codec.pack("ACRGT-ACGT", SPEC)
    assert codec.unpack(packed, SPEC) == "ACNGT-AC"
    assert codec.pack("AC", SPEC).tolist() == [2, 3, 0, 0, 0, 0, 0, 0]
    assert codec.vocab_size(SPEC) == 7
    cut, unseen = SEQUENCE.shortened("ACRGT-ACGT", SPEC)
    assert (cut.how, cut.limit, cut.kept, cut.needed) == ("are cut after 8 letters", "max_letters", 8, 10)
    assert unseen.how == "have letters that were not learned (R), read as N"
    assert SEQUENCE.shortened("ACGT", SPEC) == []
    protein = {"size": [4], "letters": "KLMX"}
    assert codec.unpack(codec.pack("MEL", protein), protein) == "MXL"


def test_letters_after_a_drawn_end_are_none() -> None:
    packed = SEQUENCE.categorical.pack("ACGT", SPEC)
    packed[2] = 0
    assert SEQUENCE.categorical.unpack(packed, SPEC) == "AC"


def test_compare() -> None:
    assert SEQUENCE.compare("ACGT", "ACTT", SPEC) == {
        "exact": 0,
        "letter_accuracy": 0.75,
        "letter_error": 0.25,
    }
    shifted = SEQUENCE.compare("GACGT", "ACGT", SPEC)
    assert shifted["letter_accuracy"] == 0
    assert shifted["letter_error"] == 0.25
    assert SEQUENCE.compare("ACGTACGTAA", "ACGTACGTTT", SPEC)["exact"] == 1  # what is cut does not count
    assert SEQUENCE.compare("", "", SPEC) == {"exact": 1, "letter_accuracy": 1, "letter_error": 0}


def test_lower_case_is_said(tmp_path: Path) -> None:
    for name, letters in (("a", "ACGT"), ("b", "ACgt"), ("c", "AC7t")):
        (tmp_path / f"{name}.fa").write_text(f">lower case in a name\n{letters}\n")
    paths = sorted(tmp_path.iterdir())
    assert SEQUENCE.remarks(paths) == ["2 of 3 files looked at have lower case, read as capitals"]
    assert SEQUENCE.remarks([paths[0], tmp_path / "nowhere.fa"]) == []


def test_describe() -> None:
    facts = SEQUENCE.describe(["AC", "AC", "AATG"])
    assert facts == {
        **{"shortest": 2, "median": 2, "longest": 4, "distinct": 2},
        "letters": {"A": 0.5, "C": 0.25, "G": 0.125, "T": 0.125},
    }
