"""`train --task` and `restore`: files of any kind in, restored files out, wrong calls named."""

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import Call, call, done, tree
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.restorer.evaluation import folder as restored_judge
from modaloom.restorer.restoration import RestoreOptions, load_restored

SMALL = (
    *(
        "--set",
        "restorer.local.width=8",
        "--set",
        "restorer.local.num_res_blocks=1",
        "--set",
        "restorer.crop_sizes=[8]",
    ),
    *("--set", 'restorer.unet={"widths":[8,8],"groups":4}', "--set", "training.restorer.batch_size=4"),
    *("--streams", "image", "--steps", 2),
)
Runs = dict[str, Path]


@pytest.fixture(scope="module")
def runs(world: Path, place: Path) -> Runs:
    """A run of each of some tasks."""
    tasks = ("superres", "restore", "vary", "style", "generate")
    for task in tasks:
        done("train", world, "--task", task, "--out", place / task, *SMALL)
    return {task: place / task for task in tasks}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Pictures of several modes and sizes, and masks."""
    rng, folder = np.random.default_rng(0), tmp_path / "in"
    folder.mkdir()
    modes = {"dot": "RGB", "row": "RGB", "rgb": "RGB", "grey": "L", "veil": "LA", "bits": "1", "few": "P"}
    for name, mode in {**modes, "rgba": "RGBA"}.items():
        coarse = Image.fromarray(rng.integers(0, 256, (3, 4, 4), np.uint8)).convert(mode)
        size = {"dot": (1, 1), "row": (14, 1)}.get(name, (14, 9))
        coarse.resize(size, Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    Image.fromarray(rng.integers(0, 65536, (9, 14), np.uint16)).save(folder / "deep.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (20, 10), "red").save(folder / "turned.jpg", exif=turned)
    mask = np.zeros((9, 14), np.uint8)
    mask[2:5, 3:9] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(mask + 255 - mask).save(folder / "all.png")
    return folder


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("mode", ["mean", "sample"])
def test_superres_doubles_pictures_of_any_kind_and_keeps_what_they_show(
    runs: Runs, files: Path, tmp_path: Path, mode: str
) -> None:
    whole = ["rgb.png", "grey.png", "rgba.png", "veil.png", "bits.png", "few.png", "deep.png"]
    names = [*whole, "dot.png", "row.png", "turned.jpg"]
    done("restore", runs["superres"], *(files / n for n in names), "--mode", mode, "--out", tmp_path / "out")
    found = {path.name: pixels(path).shape[:2] for path in (tmp_path / "out").iterdir()}
    assert found == {
        "dot.png": (2, 2),
        "row.png": (2, 28),
        **dict.fromkeys(whole, (18, 28)),
        "turned.png": (40, 20),
    }
    large = Image.fromarray(pixels(tmp_path / "out" / "rgb.png").astype(np.uint8))
    off = np.asarray(large.resize((14, 9), Image.Resampling.BICUBIC)) - pixels(files / "rgb.png")
    assert np.sqrt(np.square(off).mean()) < 1


def test_the_same_seed_gives_the_same_file_whatever_stands_beside_it(
    runs: Runs, files: Path, tmp_path: Path
) -> None:
    asked = ("--mode", "sample", "--steps", 2, "--sampler", "dpmpp_2m_sde", "--timestep-spacing", "karras")
    asked = (*asked, "--shared-noise", 0.5)
    for out, names, seed in (("a", ["rgb"], 0), ("b", ["grey", "rgb"], 0), ("c", ["rgb"], 1)):
        inputs = [files / f"{name}.png" for name in names]
        done("restore", runs["restore"], *inputs, *asked, "--seed", seed, "--out", tmp_path / out)
    a, b, c = ((tmp_path / out / "rgb.png").read_bytes() for out in "abc")
    assert a == b != c


def test_inpaint_fills_the_white_of_the_mask_and_touches_nothing_else(
    runs: Runs, files: Path, tmp_path: Path
) -> None:
    asked = ("--set", "degradation=inpaint", "--mask", files / "mask.png")
    done("restore", runs["restore"], files / "rgb.png", *asked, "--out", tmp_path / "out")
    hole = pixels(files / "mask.png")[..., 0] > 0
    before, after = pixels(files / "rgb.png"), pixels(tmp_path / "out" / "rgb.png")
    assert np.array_equal(before[~hole], after[~hole])
    assert not np.array_equal(before[hole], after[hole])


def test_colorize_takes_colours_where_the_mask_is_white(runs: Runs, files: Path, tmp_path: Path) -> None:
    asked = ("--set", "degradation=colorize", "--mask", files / "all.png")
    done("restore", runs["restore"], files / "rgb.png", *asked, "--out", tmp_path / "out")
    before, after = pixels(files / "rgb.png"), pixels(tmp_path / "out" / "rgb.png")
    weights = np.array([0.299, 0.587, 0.114])
    assert abs(before @ weights - after @ weights).max() <= 1.1
    hinted = ("--set", "degradation=colorize", "--mask", files / "mask.png", "--out", tmp_path / "some")
    done("restore", runs["restore"], files / "rgb.png", *hinted)
    assert not np.array_equal(pixels(tmp_path / "some" / "rgb.png"), after)


def test_a_run_that_leaps_draws_in_one_step(world: Path, files: Path, tmp_path: Path) -> None:
    """Through training, its model folder, tiles and files; nothing else says how it draws."""
    ways = ("restorer.mean_flow_prob=0.5", "restorer.process=flow", "restorer.prediction=velocity")
    words = [word for way in ways for word in ("--set", way)]
    done("train", world, "--task", "denoise", "--out", tmp_path / "run", *words, *SMALL)
    asked = ("restore", tmp_path / "run", files / "rgb.png", "--mode", "sample", "--steps", 1)
    done(*asked, "--out", tmp_path / "auto")
    for sampler in ("mean_flow", "euler"):
        done(*asked, "--sampler", sampler, "--out", tmp_path / sampler)
    assert tree(tmp_path / "auto") == tree(tmp_path / "mean_flow")
    assert pixels(tmp_path / "mean_flow" / "rgb.png").shape == (9, 14, 3)


def test_tiny_pictures_are_learned_from_and_not_judged(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for split, sizes in {"train": [(20, 20)] * 5 + [(1, 1), (3, 40)], "test": [(1, 1), (20, 20)]}.items():
        (folder / split).mkdir(parents=True)
        for i, size in enumerate(sizes):
            pixels = np.random.default_rng(i).integers(0, 256, (size[1], size[0], 3), np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{i}.png")
    done("train", folder, "--task", "restore", "--out", tmp_path / "run", *SMALL)
    rows = json.loads((tmp_path / "run" / "scores.json").read_text())["rows"]
    assert {row["n"] for row in rows} == {1}


def padded(path: Path) -> np.ndarray:
    """14 × 9 pixels as seen by what learned whole pictures of 32²: 32 × 21, its edge repeated."""
    with Image.open(path) as image:
        large = np.asarray(image.convert("RGB").resize((32, 21), Image.Resampling.LANCZOS))
    return np.pad(large, [(5, 6), (0, 0), (0, 0)], mode="edge").astype(int)


def test_vary_of_no_strength_is_the_picture_itself(runs: Runs, files: Path, tmp_path: Path) -> None:
    for strength in (0, 1):
        asked = ("--strength", strength, "--out", tmp_path / str(strength))
        done("restore", runs["vary"], files / "rgb.png", *asked)
    same, far = (pixels(tmp_path / out / "rgb.png") for out in "01")
    assert np.array_equal(same, padded(files / "rgb.png"))
    assert not np.array_equal(far, same)


def test_what_learned_whole_pictures_fits_others_into_their_size(
    runs: Runs, files: Path, tmp_path: Path
) -> None:
    """A picture that was fitted before has the same answer, and so has a reference."""
    Image.fromarray(padded(files / "rgb.png").astype(np.uint8)).save(files / "fitted.png")
    for task, reference in {"style": "rgb", "vary": "", "generate": ""}.items():
        for name in ("rgb", "fitted"):
            asked = ("--style", files / f"{name}.png") if reference else ()
            place, run = tmp_path / task / name, runs[task]
            (files / name).mkdir(exist_ok=True)
            (files / name / "a.png").write_bytes((files / f"{name}.png").read_bytes())
            done("restore", run, files / name / "a.png", *asked, "--steps", 2, "--out", place)
        assert tree(tmp_path / task / "rgb") == tree(tmp_path / task / "fitted")
        assert pixels(tmp_path / task / "rgb" / "a.png").shape == (32, 32, 3)


def test_what_learned_whole_pictures_is_judged_on_whole_ones(
    runs: Runs, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others on the middle of large ones."""
    monkeypatch.setattr(restored_judge, "MAX_SIDES", {2: (8, 8)})
    for task, side in {"generate": 32, "superres": 8}.items():
        for cases in restored_judge.read_cases(load_restored(runs[task]), world, most=1).values():
            assert {case.signals.target.shape for case in cases} == {(3, side, side)}


def test_generate_needs_no_input_and_n_changes_no_draw(runs: Runs, tmp_path: Path) -> None:
    for n in (2, 3):
        done("restore", runs["generate"], "--n", n, "--out", tmp_path / str(n))
    two, three = (tree(tmp_path / n) for n in "23")
    assert sorted(three) == ["0000.png", "0001.png", "0002.png"]
    assert two.items() < three.items()
    assert len(set(three.values())) == 3
    assert pixels(tmp_path / "2" / "0000.png").shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("task", "words", "named"),
    [
        ("restore", ("rgb.png", "--mode", "men"), "unknown mode 'men' (did you mean 'mean'?)"),
        ("restore", ("rgb.png", "--steps", 0), "steps is 0; it must be at least 1"),
        ("restore", ("rgb.png", "--sampler", "dpmpp_2n"), "did you mean 'dpmpp_2m'"),
        ("restore", ("rgb.png", "--timestep-spacing", "even"), "unknown timestep_spacing 'even'"),
        ("restore", ("rgb.png", "--shared-noise", 1.5), "shared_noise is 1.5; it must be at least 0 and at"),
        ("restore", ("rgb.png", "--strength", 0.5), "unknown setting 'strength'"),
        ("restore", ("rgb.png", "--set", "degradation=rain"), "unknown degradation 'rain'"),
        ("restore", ("rgb.png", "--set", "superres.factor=3"), "unknown factor '3'"),
        ("restore", ("rgb.png", "--mask", "mask.png"), "takes no mask"),
        ("restore", ("rgb.png", "--set", "degradation=inpaint"), "inpaint needs a mask"),
        (
            "restore",
            ("rgb.png", "--set", "degradation=inpaint", "--mask", "all.png"),
            "leaves nothing of the signal",
        ),
        (
            "restore",
            ("dot.png", "--set", "degradation=inpaint", "--mask", "mask.png"),
            "the mask is 9×14, the signal",
        ),
        ("restore", ("dot.png", "--set", "degradation=colorize", "--mask", "mask.png"), "the mask is 9×14"),
        ("restore", ("rgb.png", "--mask", "nowhere.png"), "nowhere.png"),
        ("vary", ("rgb.png", "--strength", 1.5), "strength is 1.5; it must be at least 0 and at most 1"),
        ("vary", ("rgb.png", "--strength", "nan"), "strength is"),
        ("vary", ("rgb.png", "--mode", "mean"), "has learned no mean; take --mode sample"),
        ("style", ("rgb.png",), "needs a reference picture"),
        (
            "style",
            ("rgb.png", "--style", "grey.png", "--set", "patch=4"),
            "patch is 4; this run has learned only 8",
        ),
        (
            "superres",
            ("rgb.png", "--set", "factor=4"),
            "factor is 4; this run has learned only 2; train one with --set restorer.options.factor=4",
        ),
        (
            "restore",
            ("rgb.png", "--set", "superres.factor=4"),
            "superres.factor is 4; this run has learned only",
        ),
        (
            "restore",
            ("rgb.png", "--set", "jpeg.quality=50"),
            "jpeg.quality is 50; this run has learned only 20",
        ),
        (
            "restore",
            ("rgb.png", "--set", "denoise.sigma=0.2"),
            "denoise.sigma is 0.2; this run has learned up to",
        ),
        ("superres", ("rgb.png", "--style", "grey.png"), "superres takes no style"),
        ("vary", ("rgb.png", "--sampler", "mean_flow"), "not learned mean flow"),
        ("superres", ("nowhere.png",), "nowhere.png"),
        ("superres", ("broken.png",), "broken.png"),
        ("superres", ("rgb.png", "more/rgb.png"), "two inputs are named rgb"),
        ("superres", ("rgb.png", "--seed", -1), "seed is -1"),
    ],
)
def test_wrong_calls_are_named_and_leave_nothing(
    runs: Runs, files: Path, refused: Call, task: str, words: tuple[object, ...], named: str
) -> None:
    (files / "broken.png").write_bytes((files / "rgb.png").read_bytes()[:60])
    paths = [files / w if str(w).endswith(".png") else w for w in words]
    refused("restore", runs[task], *paths, "--out", "out", names=named)


@pytest.mark.parametrize(
    ("value", "how", "named"),
    [
        (np.zeros((9, 14, 3), np.uint8), {}, "ndarray is no picture"),
        (Image.new("RGB", (0, 5)), {}, "the picture has no pixels"),
        (Image.new("F", (9, 14)), {}, "floating-point pixels"),
        (Image.new("RGB", (9, 14)), {"sampling": {"stepz": 1}}, "did you mean 'steps'"),
        (
            Image.new("RGB", (9, 14)),
            {"sampling": {"steps": 1.5}},
            "steps is 1.5: input should be a valid integer",
        ),
        (Image.new("RGB", (9, 14)), {"options": {"strength": 2}}, "^strength is 2"),
    ],
)
def test_wrong_values_in_python_are_named(runs: Runs, value: object, how: dict[str, Any], named: str) -> None:
    with pytest.raises(BadValue, match=named):
        load_restored(runs["vary"]).restore(value, RestoreOptions(**how))


@pytest.mark.parametrize(
    ("task", "mode", "steps"), [("superres", "sample", 3), ("superres", "mean", 1), ("vary", "", 3)]
)
def test_a_run_restores_step_by_step(runs: Runs, files: Path, task: str, mode: str, steps: int) -> None:
    """Each preview is a whole picture, keeps transparency, and tells what is lost only once."""
    run, asked = load_restored(runs[task]), RestoreOptions(mode=mode, sampling={"steps": 3}, seed=4)
    said: list[str] = []
    expected = run.restore(files / "rgba.png", asked)
    frames = run.stream(files / "deep.png", asked, notify=said.append)
    assert [len(frame.preview().getbands()) for frame in frames] == [1 if task == "superres" else 3] * steps
    assert len(said) == len({*said}) > 0
    seen = [*run.stream(files / "rgba.png", asked)]
    assert [(f.stream, f.step, f.total) for f in seen] == [("image", i + 1, steps) for i in range(steps)]
    assert {(f.preview().size, f.preview().mode) for f in seen} == {(expected.size, expected.mode)}
    assert seen[-1].result.tobytes() == seen[-1].preview().tobytes() == expected.tobytes()
    assert (steps == 1) == (seen[0].preview().tobytes() == expected.tobytes())


def test_what_training_does_not_fix_is_free(runs: Runs, files: Path, tmp_path: Path) -> None:
    """Less noise than the most that was learned; an answer that need not be consistent; another fault."""
    for i, (task, setting) in enumerate(
        [
            ("restore", "denoise.sigma=0.05"),
            ("restore", "degradation=denoise"),
            ("superres", "consistent=false"),
        ]
    ):
        done("restore", runs[task], files / "rgb.png", "--set", setting, "--out", tmp_path / str(i))


@pytest.mark.parametrize("task", ["colorize", "restore"])
def test_grey_photographs_are_no_lesson_in_colour(tmp_path: Path, refused: Call, task: str) -> None:
    """One coloured picture is."""
    rng, folder = np.random.default_rng(0), tmp_path / "grey"
    (folder / "train").mkdir(parents=True)
    for i in range(4):
        Image.fromarray(rng.integers(0, 256, (12, 12), np.uint8)).save(folder / "train" / f"{i}.png")
    named = f"every image of {folder} is grey, and {task} learns colours; give coloured ones, or take --task "
    refused("train", folder, "--task", task, "--out", "out", *SMALL, names=f"{named}superres or inpaint or ")
    Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8)).save(folder / "train" / "4.png")
    done("train", folder, "--task", task, "--out", tmp_path / "out", *SMALL)


def test_a_run_is_asked_what_it_was_trained_for(
    runs: Runs, run: Path, files: Path, world: Path, refused: Call
) -> None:
    refused("restore", run, files / "rgb.png", "--out", "out", names="is a run of the loom")
    refused("generate", runs["vary"], "--want", "image", "--out", "out", names="is a run of the restorer")
    refused("tokenize", runs["vary"], world, "--out", "out", names="modaloom restore")
    refused("restore", runs["vary"], "--out", "out", names="has nothing to restore; name files")
    refused("restore", runs["generate"], "--n", 0, "--out", "out", names="n is 0")
    words = (files / "rgb.png", "--n", 2, "--out", "out")
    refused("restore", runs["generate"], *words, names="leave it or the inputs out")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--task", "superes", "--streams", "image"), "did you mean 'superres'"),
        (("--task", "superres", "--streams", "caption"), "unknown stream of signals 'caption'"),
        (("--task", "image_to_image", "--streams", "image"), "image_to_image takes two streams"),
        (("--task", "superres", "--streams", "image", "--set", "restorer.crop_sizes=[6]", "--set",
          "restorer.options.factor=4"), "factor is 4; it must divide 6×6"),
        (("--task", "superres", "--set", "restorer.options.faktor=4"), "did you mean 'factor'"),
        (("--task", "refine", "--streams", "image", "--tokenizers", "nowhere"), "nowhere"),
        (("--task", "vary", "--streams", "image", "--tokenizers", "nowhere"), "vary takes no --tokenizers"),
    ],
)  # fmt: skip
def test_a_training_that_cannot_be_is_named(
    world: Path, refused: Call, words: tuple[object, ...], named: str
) -> None:
    refused("train", world, *words, "--out", "out", "--steps", 2, names=named)


def test_a_run_that_restores_is_scored_shown_and_resumed(runs: Runs, world: Path, tmp_path: Path) -> None:
    before = tree(runs["restore"])
    assert "is finished" in done("train", "--resume", "--out", runs["restore"]).stdout
    assert tree(runs["restore"]) == before
    done("evaluate", runs["restore"], world, "--n", 3, "--json", tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())
    faults = {"superres", "colorize", "inpaint", "denoise", "jpeg"}
    assert {row["row"] for row in rows} == {f"restore:{fault}" for fault in faults}
    page = done("report", runs["restore"]).stdout.strip()
    assert all(role in Path(page).read_text() for role in (">given<", ">mean<", ">sample<", ">truth<"))
    one = done("evaluate", runs["restore"], world, "--n", 2, "--rows", "restore:jpeg").stdout
    assert "restore:jpeg" in one
    assert "restore:denoise" not in one


def test_refine_repairs_what_a_tokenizer_makes(run: Path, world: Path, tmp_path: Path, refused: Call) -> None:
    out = tmp_path / "refine"
    done("train", world, "--task", "refine", "--tokenizers", run, "--out", out, *SMALL)
    done("restore", out, world / "test-seen" / "000001.image.png", "--out", tmp_path / "drawn")
    assert pixels(tmp_path / "drawn" / "000001.image.png").shape == (32, 32, 3)
    assert call("train", "--resume", "--out", out).exit_code == 0
    asked = ("generate", run, "--given", "caption=a red circle", "--want", "image", "--n", 2)
    for name, words in {"plain": (), "refined": ("--refine", out)}.items():
        done(*asked, *words, "--out", tmp_path / name)
    done("restore", out, tmp_path / "plain" / "0001.image.png", "--out", tmp_path / "after")
    refined = (tmp_path / "refined" / "0001.image.png").read_bytes()
    assert refined == (tmp_path / "after" / "0001.image.png").read_bytes()
    assert refined != (tmp_path / "plain" / "0001.image.png").read_bytes()
    line = json.loads((tmp_path / "refined" / "_provenance.jsonl").read_text().splitlines()[0])
    assert shlex.split(line["command"])[-2:] == ["--refine", str(out)]
    words = ("--given", f"image={world / 'test-seen' / '000001.image.png'}", "--want", "caption")
    refused(
        "generate", run, *words, "--refine", out, "--out", "none", names="restores image, which is not wanted"
    )
    refused("generate", run, *words, "--refine", run, "--out", "none", names="is a run of the loom")
