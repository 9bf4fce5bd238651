"""Writes scikit-learn's 1,797 handwritten digits as a folder of pairs: train/0001.png and train/0001.txt."""

import argparse
import shlex
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from modaloom.core.errors import ModaloomError
from modaloom.data.atomic_io import new_folder

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HELD_OUT = {"test": 360, "val": 137}
"""Split → its number of digits; the other 1,300 train."""
SEED = 0
SIDE = 8
"""Pixels of the digits in scikit-learn."""


def write_digits(folder: Path, *, side: int = SIDE) -> None:
    """Write the folder atomically; a file's number is the digit's index in scikit-learn.

    Pictures are grey, 8 × 8, 17 grey levels scaled to 0..255, enlarged to `side` pixels. Raises `BadFolder`
    if the folder is not empty.
    """
    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    with new_folder(folder) as root:
        for name in ("train", *HELD_OUT):
            (root / name).mkdir()
        for number, split in enumerate(splits(len(pixels))):
            stem = root / split / f"{number:04d}"
            picture = Image.fromarray(pixels[number]).resize((side, side), Image.Resampling.BICUBIC)
            picture.save(stem.with_suffix(".png"))
            stem.with_suffix(".txt").write_text(f"{WORDS[digits.target[number]]}\n")


def splits(n: int) -> list[str]:
    """The split of each digit, by a seeded permutation."""
    names = [name for name, count in HELD_OUT.items() for _ in range(count)]
    names += ["train"] * (n - len(names))
    return list(np.random.default_rng(SEED).permutation(names))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, such as digits")
    parser.add_argument("--side", type=int, default=SIDE, help="enlarge to so many pixels, at least 8")
    options = parser.parse_args()
    if options.side < SIDE:
        parser.error(f"--side is {options.side}; it must be at least {SIDE}")
    folder = options.folder
    try:
        write_digits(folder, side=options.side)
    except ModaloomError as error:
        parser.error(str(error))
    print(f"next: modaloom train {shlex.quote(str(folder))} --out runs/digits --minutes 5")


if __name__ == "__main__":
    main()
