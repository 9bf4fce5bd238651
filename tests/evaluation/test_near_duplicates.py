"""Copies and leaks that were put there, and data without any."""

from types import SimpleNamespace

import numpy as np
from PIL import Image

from modaloom.evaluation.leaks import MIN_SAMPLES, all_leaks, constant, determined, repeated, spelled_out
from modaloom.evaluation.near_duplicates import exact_duplicates, near_duplicates
from modaloom.modalities import MODALITIES

IMAGE = MODALITIES["image"]
SPEC = {"size": [16, 16], "content": [16, 16], "channels": 3}


def pictures(n, seed):
    random = np.random.default_rng(seed)
    return [Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)) for _ in range(n)]


def mixed(much, little):
    return Image.fromarray(np.asarray(much) // 2 + np.asarray(little) // 64 + 60)


def keyed(values, side):
    return {f"{side}/{i:02d}": value for i, value in enumerate(values)}


def test_equal_values_are_found_among_held_out_ones():
    (copy,) = exact_duplicates(
        "image", {"train/1": "a", "train/2": "b", "train/3": "b"}, {"test/1": "b", "test/2": "c"}
    )
    assert (copy.stream, copy.key, copy.of, copy.distance) == ("image", "test/1", "train/2", 0.0)


def test_near_copies_are_found_and_new_values_are_not():
    train, new = keyed(pictures(40, 0), "train"), keyed(pictures(20, 1), "test")
    assert list(near_duplicates("image", IMAGE, SPEC, train, new)) == []
    touched = np.asarray(train["train/07"]).astype(int) + np.random.default_rng(2).integers(
        -4, 5, (16, 16, 3)
    )
    brighter = Image.fromarray(touched.clip(0, 255).astype(np.uint8))
    found = list(
        near_duplicates("image", IMAGE, SPEC, train, new | {"test/x": brighter, "test/y": train["train/09"]})
    )
    assert [(copy.key, copy.of) for copy in found] == [("test/x", "train/07"), ("test/y", "train/09")]
    assert 0 < found[0].distance < 0.1
    assert found[1].distance == 0
    assert (
        list(near_duplicates("image", IMAGE, SPEC, {}, new))
        == list(near_duplicates("image", IMAGE, SPEC, train, {}))
        == []
    )


def test_what_is_as_near_as_all_others_is_no_copy():
    train = pictures(12, 0)
    once, again, new = ([mixed(p, q) for p, q in zip(train, pictures(12, seed))] for seed in (1, 2, 3))
    assert list(near_duplicates("image", IMAGE, SPEC, keyed(once + again, "train"), keyed(new, "test"))) == []


def test_copies_are_found_though_most_held_out_values_are_some():
    train = pictures(12, 0)
    once, again = ([mixed(p, q) for p, q in zip(train, pictures(12, seed))] for seed in (1, 2))
    held_out = keyed(again[:11], "test") | {"test/new": pictures(1, 3)[0]}
    found = list(near_duplicates("image", IMAGE, SPEC, keyed(once, "train"), held_out))
    assert [(copy.key, copy.of) for copy in found] == [(f"test/{i:02d}", f"train/{i:02d}") for i in range(11)]


def test_all_copies_are_copies_though_nothing_else_is_usual():
    train = keyed(pictures(4, 0), "train")
    assert (
        len(
            list(
                near_duplicates(
                    "image", IMAGE, SPEC, train, {f"test/{i}": v for i, v in enumerate(train.values())}
                )
            )
        )
        == 4
    )


def column(values):
    return {f"{i:02d}": str(value) for i, value in enumerate(values)}


N = 2 * MIN_SAMPLES


def test_repetition_counts_only_above_what_training_values_do():
    unique, few = column(range(N)), column(i % 4 for i in range(N))
    fresh, half = column(range(N, 2 * N)), column(range(N // 2, N + N // 2))
    assert list(repeated({"note": unique}, {"note": fresh})) == []
    assert list(repeated({"label": few}, {"label": few})) == []
    (sentence,) = repeated({"note": unique, "label": few}, {"note": half, "label": few})
    assert sentence.startswith(f"{N // 2} of {N} held-out values of note stand in the training data")
    assert list(repeated({"note": column(range(5))}, {"note": column(range(5))})) == []  # too few to tell


def test_constant_streams():
    assert "kind is the same in all" in next(constant({"kind": column("x" * N), "note": column(range(N))}))
    assert list(constant({"kind": column("xxx"), "note": column(range(N))})) == []


def test_a_stream_settles_another_only_by_repeating_itself():
    few, coarse = column(i % 4 for i in range(N)), column(i % 2 for i in range(N))
    unique, same_always = column(range(N)), column("x" * N)
    columns = {"few": few, "coarse": coarse, "unique": unique, "same": same_always}
    assert list(determined(columns)) == ["few alone settles coarse: scores of that direction say little."]
    assert list(determined({"few": few, "coarse": {**coarse, "00": "7"}})) == []


def test_answers_that_stand_in_what_is_given():
    words = ["red", "green", "blue", "teal"]
    colour = {f"{i:02d}": words[i % 4] for i in range(N)}
    caption = {key: f"a {word} thing" for key, word in colour.items()}
    found = list(spelled_out({"caption": caption, "colour": colour}))
    assert found == ["caption spells out colour: what is asked for stands in what is given."]
    mostly = {key: text if i % 4 else "a thing" for i, (key, text) in enumerate(caption.items())}
    assert list(spelled_out({"caption": mostly, "colour": colour})) == []


def test_an_innocent_folder_has_no_leak():
    streams = SimpleNamespace(note=column(range(N)), label=column(i % 3 for i in range(N)))
    held_out = {"note": column(range(N, 2 * N)), "label": streams.label}
    assert all_leaks(vars(streams), held_out, {"label": streams.label}) == []
