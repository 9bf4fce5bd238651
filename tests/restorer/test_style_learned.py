"""Style transfer, learned in seconds: the answer has the colours of its reference."""

import numpy as np
import pytest
from PIL import Image

from modaloom import api
from modaloom.restorer.restoration import RestoredRun, RestoreOptions

SIDE = 16
COLOURS = {"red": (210, 50, 40), "green": (50, 190, 60), "blue": (40, 70, 220), "yellow": (220, 210, 50)}
TINY = (
    'restorer.unet={"widths":[16,32],"groups":4}',
    "restorer.process=flow",
    "restorer.prediction=velocity",
    "training.restorer.batch_size=16",
    "training.restorer.learning_rate=0.003",
)


def stripes(colour: tuple[int, int, int], seed: int) -> Image.Image:
    """Of two shades of a colour, at a random place and angle."""
    rng = np.random.default_rng(seed)
    angle, shift, width = rng.uniform(0, np.pi), rng.uniform(0, 6), rng.uniform(2, 4)
    y, x = np.mgrid[:SIDE, :SIDE]
    dark = (x * np.cos(angle) + y * np.sin(angle) + shift) % (2 * width) < width
    return Image.fromarray((np.array(colour) * np.where(dark, 0.6, 1)[..., None]).astype(np.uint8))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RestoredRun:
    place = tmp_path_factory.mktemp("style")
    for split, count in {"train": 60, "val": 4}.items():
        (place / "stripes" / split).mkdir(parents=True)
        for i in range(count):
            colour = [*COLOURS.values()][i % len(COLOURS)]
            stripes(colour, i).save(place / "stripes" / split / f"{i}.png")
    found = api.train(
        place / "stripes", out=place / "run", task="style", steps=120, settings=TINY, samples=1, device="cpu"
    )
    assert isinstance(found, RestoredRun)
    return found


def mean(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(-1, 3).mean(0)


def test_an_answer_is_nearest_in_colour_to_its_own_reference(run: RestoredRun) -> None:
    """Of a content of another colour, and of references that show other stripes."""
    references = {name: stripes(colour, 100 + i) for i, (name, colour) in enumerate(COLOURS.items())}
    for content in ("red", "blue"):
        given = stripes(COLOURS[content], 200)
        for name, reference in references.items():
            found = mean(run.restore(given, RestoreOptions(style=reference, sampling={"steps": 8})))
            off = {other: np.abs(found - mean(image)).mean() for other, image in references.items()}
            assert min(off, key=lambda other: off[other]) == name, (content, name, off)
