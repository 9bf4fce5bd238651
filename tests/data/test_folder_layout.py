"""Layouts of folders as people have them: each is understood, or refused with what would work."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from trees import Contents, Tree

from modaloom.core.errors import BadFolder, BadValue
from modaloom.data.folder import Folder, open_folder

Files = dict[str, Contents]


def files(names: str, n: int = 4) -> Files:
    """Names with N for a number → a picture or text for each number."""
    return {
        name.replace("N", f"{i:03d}"): 4 if name.endswith(("png", "jpg")) else "x"
        for name in names.split()
        for i in range(n)
    }


def streams(folder: Folder) -> dict[str, set[str]]:
    """Key → names of its streams."""
    return {sample.key: set(sample.streams) for sample in folder.samples}


@pytest.mark.parametrize(
    ("names", "layout", "key", "found"),
    [
        ("images/N.png captions/N.txt masks/N.png", "folders", "001", {"images", "captions", "masks"}),
        ("images/N.png masks/N.png", "folders", "001", {"images", "masks"}),
        ("S1/N.png S2/N.png LULC/N.png", "folders", "001", {"S1", "S2", "LULC"}),
        ("train/images/N.png train/labels/N.txt", "folders", "train/001", {"images", "labels"}),
        ("images/train/N.jpg labels/train/N.txt", "folders", "train/001", {"images", "labels"}),
        ("set/RGB/N.png set/depth/N.png", "folders", "set/001", {"RGB", "depth"}),
        ("clouds/N.png words/N.txt", "folders", "001", {"clouds", "words"}),
        ("pN_t1.png pN_t2.png pN_mask.png", "suffixes", "p001", {"t1", "t2", "mask"}),
        ("N-rgb.png N-depth.png", "suffixes", "001", {"rgb", "depth"}),
        ("N.jpg N_mask.png", "suffixes", "001", {"image", "mask"}),
        ("N.jpg N.txt N_mask.png", "suffixes", "001", {"image", "text", "mask"}),
        ("case_N/case_N_t1.png case_N/case_N_seg.png", "suffixes", "case_001/case_001", {"t1", "seg"}),
        ("case_N/photo.png case_N/mask.png", "samples", "case_001", {"photo", "mask"}),
        ("case_N/scan.png case_N/report.txt", "samples", "case_001", {"scan", "report"}),
        ("N.png N.txt", "stems", "001", {"image", "text"}),
        ("N.image.png N.mask.png", "stems", "001", {"image", "mask"}),
        ("a/N.label.txt b/N.label.txt", "stems", "a/001", {"label"}),
        ("cat/cN.png dog/dN.png", "classes", "cat/c001", {"image", "label"}),
        ("cat/N.png cat/N.txt dog/N.png dog/N.txt", "classes", "cat/001", {"image", "text", "label"}),
        ("0000N/00000N.jpg 0000N/00000N.txt", "stems", "0000001/00000001", {"image", "text"}),
        (
            "train/good/N.png test/crack/N.png ground_truth/crack/N_mask.png",
            "defects",
            "test/crack/001",
            {"image", "mask", "label"},
        ),
    ],
)
def test_what_is_found(names: str, layout: str, key: str, found: set[str], tree: Tree) -> None:
    folder = open_folder(tree(files(names)))
    assert folder.layout == layout
    assert streams(folder)[key] == found
    assert {frozenset(one) for one in streams(folder).values()} == {
        frozenset(found),
        frozenset({"image", "label"}),
    } & ({frozenset(found)} if layout != "defects" else {frozenset(found), frozenset({"image", "label"})})


@pytest.mark.parametrize(
    ("names", "choices"),
    [
        (
            "cat/N.png dog/N.png",
            {"folders": {"cat", "dog"}, "classes": {"image", "label"}, "stems": {"image"}},
        ),
        ("N/1.png N/2.png", {"classes": {"image", "label"}, "stems": {"image"}}),
        (" ".join(f"c{i:03d}/N.png" for i in range(40)), {"classes": {"image", "label"}, "stems": {"image"}}),
        ("N_cat.png N_dog.png", {"suffixes": {"cat", "dog"}, "stems": {"image"}}),
    ],
)
def test_two_that_fit_are_refused_and_can_be_chosen(
    names: str, choices: dict[str, set[str]], tree: Tree
) -> None:
    root = tree(files(names))
    with pytest.raises(BadFolder) as caught:
        open_folder(root)
    assert set(re.findall(r"--layout (\w+)", str(caught.value))) == {*choices}
    for layout, found in choices.items():
        assert set(map(frozenset, streams(open_folder(root, layout)).values())) == {frozenset(found)}


@pytest.mark.parametrize(
    "names",
    [
        "cat/cN.png dog/dN.png",  # nothing repeats
        "Ada_N.png Emmy_N.png",  # numbers are no words
        "Ada_Lovelace.png Ada_Byron.png Emmy_Noether.png",  # one sample each
        "N/1.png",  # one file each
        "train/N.png val/N.png",  # splits
    ],
)
def test_names_that_are_no_streams(names: str, tree: Tree) -> None:
    folder = open_folder(tree(files(names)))
    assert set(folder.modality_of) <= {"image", "label"}


def test_what_lies_outside_the_folders_is_named(tree: Tree) -> None:
    folder = open_folder(tree({**files("images/N.png masks/N.png"), "classes.txt": "x"}))
    assert {one.path: one.reason for one in folder.problems} == {
        "classes.txt": "lies outside the layout (a folder for each stream: images, masks)"
    }
    assert set(folder.modality_of) == {"images", "masks"}


def test_splits_and_masks_below_a_category(tree: Tree) -> None:
    names = "{0}/train/good/N.png {0}/test/crack/N.png {0}/ground_truth/crack/N_mask.png"
    folder = open_folder(tree({**files(names.format("bottle")), **files(names.format("cable"))}))
    assert folder.layout == "defects"
    assert streams(folder)["cable/test/crack/001"] == {"image", "mask", "label"}
    assert folder.splits is not None
    assert {folder.splits["cable/test/crack/001"], folder.splits["bottle/train/good/001"]} == {
        "test",
        "train",
    }


def test_splits_below_the_classes(tree: Tree) -> None:
    folder = open_folder(tree(files("cat/train/cN.png cat/test/kN.png dog/train/dN.png dog/test/eN.png")))
    assert folder.layout == "classes"
    assert {sample.streams["label"] for sample in folder.samples} == {"cat", "dog"}
    assert folder.splits is not None
    assert folder.splits["dog/test/e001"] == "test"


def test_names_of_folders_become_names_of_streams(tree: Tree) -> None:
    folder = open_folder(tree({**files("LR-images/N.png"), **{f"4x (hr)/{i:03d}.png": 4 for i in range(4)}}))
    assert set(folder.modality_of) == {"LR-images", "_4x_hr_"}


def test_a_folder_of_several_modalities_has_several_streams(tree: Tree) -> None:
    folder = open_folder(tree(files("a/N.png a/N.txt b/N.png")), "folders")
    assert streams(folder)["001"] == {"a.image", "a.text", "b"}


@pytest.mark.parametrize("layout", ["folders", "suffixes", "samples", "defects"])
def test_a_layout_that_the_folder_does_not_have_is_refused(layout: str, tree: Tree) -> None:
    with pytest.raises(BadFolder, match=f"has no layout '{layout}'"):
        open_folder(tree({"1.png": 4, "2.png": 4}), layout)


def test_an_unknown_layout_is_refused(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="layout"):
        open_folder(tree({"1.png": 4}), "rows")


def test_what_reading_changes_is_said(tree: Tree) -> None:
    root = tree(files("N.png", 3))
    (root / "000.png").rename(root / "000.jpg")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.new("RGB", (4, 4), "red").save(root / "001.png", icc_profile=profile)
    first, *others = (Image.new("RGB", (4, 4), colour) for colour in ("red", "green"))
    first.save(root / "003.gif", save_all=True, append_images=others)
    assert {*open_folder(root).recognised[1:]} == {
        "image: 1 of 4 pictures looked at hold PNG data under another suffix, and are read by their content",
        "image: 1 of 4 pictures looked at have a colour profile, and are converted to sRGB",
        "image: 1 of 4 pictures looked at hold several, of which the first is read",
    }
