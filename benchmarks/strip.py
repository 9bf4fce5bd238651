"""Makes docs/strip.png, the README's picture: the first held-out samples, seed 0, not cherry-picked.

python benchmarks/strip.py runs/demo runs/demo-world runs/digits docs/strip.png
"""

import sys
from pathlib import Path

import modaloom
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.report.strip import strip

COLUMNS = 8
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")


def main(demo: str, world: str, digits: str, out: str) -> None:
    """Captions → pictures, pictures → captions, words → digits."""
    run, index = modaloom.load(demo), open_folder(Path(world))
    held = [s for s in index.samples if s.key.startswith("test-seen/")][: 2 * COLUMNS]
    samples = [Reader(index).read(sample).streams for sample in held]
    pictures = [
        (run.generate({"caption": s["caption"]}, ["image"], n=1)[0]["image"], s["caption"])
        for s in samples[:COLUMNS]
    ]
    captions = [
        (s["image"], run.generate({"image": s["image"]}, ["caption"], n=1)[0]["caption"])
        for s in samples[COLUMNS:]
    ]
    digit_images = [
        (modaloom.load(digits).generate({"text": w}, ["image"], n=1)[0]["image"], w) for w in WORDS
    ]
    strip(
        [[value for pair in row for value in pair] for row in (pictures, captions, digit_images)], Path(out)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
