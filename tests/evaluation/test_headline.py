"""Plain sentences."""

from modaloom.evaluation import ScoreRow, headlines, no_better, sentence


def row(value, *, name="image->caption", split="level1", metric="slot.mean", **beside):
    return ScoreRow(
        name, split, metric, value, **{"floor": 0.25, "baseline": 0.5, "ceiling": 0.99, "n": 500, **beside}
    )


def test_a_sentence_says_all_rivals():
    assert sentence(row(0.93, retrieval=0.71)) == (
        "image->caption on unseen combinations (level 1): 0.93 of slots "
        "(floor 0.25, baseline 0.50, retrieval 0.71, ceiling 0.99, n 500)"
    )
    assert "of slots (0.91–0.95, floor" in sentence(row(0.93, low=0.91, high=0.95))
    plain = ScoreRow("a->b", "test", "psnr", 21.5, n=3)
    assert sentence(plain) == "a->b on test: 21.50 dB PSNR (n 3)"


def test_one_row_a_direction_and_split():
    shape, mean, exact = (row(0.9, metric=m) for m in ("slot.shape", "slot.mean", "exact"))
    other = row(0.9, metric="char_error", split="seen")
    assert headlines([shape, exact, mean, other]) == [mean, other]


def test_warnings_name_directions_that_lose_to_simple_means():
    assert no_better([row(0.51)]) == {}
    assert list(no_better([row(0.9, split="seen"), row(0.5)])) == ["image->caption"]
    assert "0.50 of slots" in no_better([row(0.5)])["image->caption"]
    assert no_better([row(0.99, baseline=0.99)]) == {}  # nothing left to be better than
    assert no_better([row(0.0, ceiling=0.0)])  # a broken tokenizer excuses nothing
    assert no_better([row(0.0, floor=0.0, baseline=0.0, ceiling=0.0)])
    assert no_better([row(0.4, ceiling=0.4)])
    assert no_better([row(0.3, floor=None, baseline=None)]) == {}


def test_nothing_below_the_guess_is_excused():
    """Within 2% of a ceiling that a simple mean reaches, but below the floor."""
    assert no_better([row(0.985, floor=0.98, baseline=0.99)]) == {}
    assert no_better([row(0.975, floor=0.98, baseline=0.99)])
    assert no_better([row(29.6, metric="psnr", floor=30.0, baseline=None, ceiling=29.0)])


def test_less_error_is_better():
    assert no_better([row(0.04, metric="near_duplicates.image", floor=0.9, baseline=None)]) == {}
    assert no_better([row(0.2, metric="error", floor=0.9, baseline=0.3)]) == {}
    assert no_better([row(0.4, metric="error", floor=0.9, baseline=0.3)])
    assert no_better([row(0.4, metric="error.age", floor=0.9, baseline=0.3)])
