"""Writing: the contract's names, all or nothing, the same sample at any n."""

import json

import pytest

from modaloom.core.errors import BadFolder, BadValue
from modaloom.data.folder import open_folder
from modaloom.modalities import MODALITIES
from modaloom.world import FACTORS, STREAMS
from modaloom.world.splits import SPLITS
from modaloom.world.worlds import WORLDS, world_of
from modaloom.world.write import FACTS, write_world


def written(folder, n=6, **options):
    *_, last = write_world(folder, n, **{"held_out": 3, **options})
    return last


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_it_is_a_dataset_of_our_own_contract(tmp_path):
    assert written(tmp_path / "w") == (18, 18)
    index = open_folder(tmp_path / "w")
    assert index.modality_of == {name: rule.modality for name, rule in STREAMS.items() if rule.always}
    assert set(index.splits.values()) == set(SPLITS)
    assert not index.problems
    facts = [json.loads(line) for line in (tmp_path / "w" / FACTS).read_text().splitlines()]
    assert {row["key"]: row["split"] for row in facts} == index.splits
    for sample, row in zip(index.samples, sorted(facts, key=lambda row: row["key"])):
        assert set(sample.streams) == set(index.modality_of)
        assert MODALITIES["text"].read(sample.streams["answer"]) == row[row["asked"]]


def test_a_sample_is_the_same_at_any_n_and_with_any_streams(tmp_path):
    written(tmp_path / "few", 2, streams=["image", "record"])
    written(tmp_path / "many", 5)
    few, many = contents(tmp_path / "few"), contents(tmp_path / "many")
    few.pop(FACTS)
    assert few.items() <= many.items()
    assert len(few) == (2 + 4 * 3) * 2


def test_the_facts_name_every_factor_and_a_fixed_one_is_fixed(tmp_path):
    written(tmp_path / "free", 20, streams=["caption"])
    written(tmp_path / "still", 20, streams=["caption"], fixed={"motion": "still"})
    free, still = (
        [json.loads(line) for line in (tmp_path / name / FACTS).read_text().splitlines()]
        for name in ("free", "still")
    )
    assert all({*FACTORS, "speed", "asked", "answer"} <= row.keys() for row in free)
    assert {row["motion"] for row in still} == {row["speed"] for row in still} == {"still"}
    assert len({row["motion"] for row in free}) > 1
    for name in FACTORS.keys() - {"motion"}:
        assert [row[name] for row in free] == [row[name] for row in still]


def test_another_seed_gives_another_world(tmp_path):
    written(tmp_path / "a"), written(tmp_path / "b", seed=1)
    assert contents(tmp_path / "a").keys() == contents(tmp_path / "b").keys()
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


@pytest.mark.parametrize(("n", "expected"), [(10, 20), (1000, 100), (20_000, 500)])
def test_held_out_splits_follow_n(tmp_path, n, expected):
    work = write_world(tmp_path / "w", n)
    assert next(work) == (1, n + 4 * expected)
    work.close()


def test_stopped_half_way_it_leaves_nothing(tmp_path):
    work = write_world(tmp_path / "w", 5)
    next(work)
    work.close()
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_refused_and_untouched(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(BadFolder, match="name a new folder"):
        written(tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"keep"}
    with pytest.raises(BadFolder):
        written(tmp_path / "mine.txt")


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "w").mkdir()
    written(tmp_path / "w")
    assert (tmp_path / "w" / FACTS).is_file()


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"held_out": 0}, {"streams": ["imag"]}, {"fixed": {"motion": "up"}}]
)
def test_bad_options_write_nothing(tmp_path, options):
    with pytest.raises(BadValue):
        written(tmp_path / "w", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_is_written_and_its_facts_name_it(tmp_path, name):
    written(tmp_path / "w", 2, world=name, held_out=1)
    facts = [json.loads(line) for line in (tmp_path / "w" / FACTS).read_text().splitlines()]
    assert {row["world"] for row in facts} == {name}
    assert world_of(facts) is WORLDS[name]
    index = open_folder(tmp_path / "w")
    assert index.modality_of == {
        stream: rule.modality for stream, rule in WORLDS[name].streams.items() if rule.always
    }
    assert not index.problems


def test_pictures_have_the_side_that_is_asked_for(tmp_path):
    written(tmp_path / "w", 1, side=48, streams=["image", "image.small"], held_out=1)
    sizes = [
        MODALITIES["image"].read(tmp_path / "w" / "train" / f"000001.{name}.png").size
        for name in ("image", "image.small")
    ]
    assert sizes == [(48, 48), (12, 12)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"world": "dou"}, "did you mean 'duo'"),
        ({"world": "duo", "streams": ["record"]}, "unknown stream 'record'"),
        ({"side": 33}, "multiple of 8"),
        ({"side": 16}, "at least 32"),
    ],
)
def test_bad_worlds_and_sides_are_refused(tmp_path, options, message):
    with pytest.raises(BadValue, match=message):
        written(tmp_path / "w", **options)
