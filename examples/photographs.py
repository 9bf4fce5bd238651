"""Writes the colour photographs of scikit-image and scikit-learn as a folder, split by photograph."""

import argparse
import shlex
import shutil
from pathlib import Path

import skimage.data
import sklearn.datasets

from modaloom.core.errors import ModaloomError
from modaloom.data.atomic_io import new_folder

SKIMAGE = Path(skimage.data.__file__).parent
SKLEARN = Path(sklearn.datasets.__file__).parent / "images"
SPLITS = {
    "train": (
        SKIMAGE / "astronaut.png",
        SKIMAGE / "motorcycle_left.png",
        SKIMAGE / "motorcycle_right.png",
        SKIMAGE / "rocket.jpg",
        SKIMAGE / "retina.jpg",
        SKIMAGE / "hubble_deep_field.jpg",
        SKLEARN / "flower.jpg",
    ),
    "val": (SKIMAGE / "chelsea.png",),
    "test": (SKIMAGE / "coffee.png", SKLEARN / "china.jpg"),
}
"""Split → photographs. The two motorcycles are one scene and share a split."""


def write_photographs(folder: Path) -> None:
    """Write the folder atomically. Raises `BadFolder` if it is not empty."""
    with new_folder(folder) as root:
        for split, paths in SPLITS.items():
            (root / split).mkdir()
            for path in paths:
                shutil.copyfile(path, root / split / path.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, such as photographs")
    folder = parser.parse_args().folder
    try:
        write_photographs(folder)
    except ModaloomError as error:
        parser.error(str(error))
    name = shlex.quote(str(folder))
    print(f"next: modaloom train {name} --out runs/photographs --task restore --minutes 20")


if __name__ == "__main__":
    main()
