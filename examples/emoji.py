"""Writes emoji as a folder of pairs: picture, line drawing, name in English and Chinese, group.

The pictures are the bitmaps of Noto Color Emoji (136 px), the names and groups those of Unicode's CLDR; on
Debian: apt-get install fonts-noto-color-emoji unicode-cldr-core. The skin tones and genders of one emoji are
on one side of the split.
"""

import argparse
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from modaloom.core.errors import BadFile, ModaloomError
from modaloom.core.rng import generator
from modaloom.data.atomic_io import new_folder

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
CLDR = Path("/usr/share/unicode/cldr/common")
BITMAP_SIZE = 109
"""Size of the font's bitmaps in points; other sizes are refused."""
CELL = (136, 128)
"""Pixels of one glyph; a sequence that the font does not have is drawn as several."""
SIDE = 64
HELD_OUT = {"test": 0.1, "val": 0.05}
"""Split → its fraction of the groups of variants."""
TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
PERSONS = re.compile("[\U0001f468\U0001f469\U0001f9d1]")
SIGNS = re.compile("\u200d[\u2640\u2642]|\ufe0f")
MIN_CONTRAST = 24
"""Difference of neighbouring pixels, of 255, above which a line is drawn."""


@dataclass(frozen=True)
class Emoji:
    """One emoji."""

    text: str
    """The characters."""
    names: Mapping[str, str]
    """Language → name."""
    group: str

    @property
    def base(self) -> str:
        """What its variants of skin tone and gender have in common."""
        return SIGNS.sub("", PERSONS.sub("\U0001f9d1", TONES.sub("", self.text)))


def read_emoji(cldr: Path) -> list[Emoji]:
    """All emoji that have a group, in the order of their characters. Raises `BadFile`."""
    names, groups = {lang: read_names(cldr, lang) for lang in ("en", "zh")}, read_groups(cldr)
    return [
        Emoji(text, {lang: names[lang][text] for lang in names}, group)
        for text in sorted(names["en"].keys() & names["zh"].keys())
        if (group := groups.get(text) or groups.get(text[0]))
    ]


def read_names(cldr: Path, language: str) -> dict[str, str]:
    """Characters → name. Raises `BadFile`."""
    found = {}
    for folder in ("annotations", "annotationsDerived"):
        path = cldr / folder / f"{language}.xml"
        try:
            nodes = ElementTree.parse(path).iter("annotation")
        except (OSError, ElementTree.ParseError) as error:
            raise BadFile(path, f"{error}; is unicode-cldr-core installed?") from error
        found |= {node.attrib["cp"]: node.text or "" for node in nodes if node.get("type") == "tts"}
    return found


def read_groups(cldr: Path) -> dict[str, str]:
    """Characters → group. Raises `BadFile`."""
    path, found = cldr / "properties" / "labels.txt", {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadFile(path, f"{error}; is unicode-cldr-core installed?") from error
    for line in lines:
        members, *labels = (part.strip() for part in line.split(";"))
        if members.startswith("[") and labels:
            found |= dict.fromkeys(characters(members), labels[0])
    return found


def characters(members: str) -> Iterator[str]:
    """Members of a Unicode set of characters, ranges and {sequences}: [ab-d{ef}] → a, b, c, d, ef."""
    previous, is_range = "", False
    for sequence, character in re.findall(r"\{([^}]*)\}|([^\[\]\s])", members):
        if character == "-" and previous:
            is_range = True
        elif is_range:
            yield from map(chr, range(ord(previous) + 1, ord(character) + 1))
            previous, is_range = "", False
        else:
            yield sequence or character
            previous = character


def draw(text: str, font: ImageFont.FreeTypeFont) -> Image.Image | None:
    """RGB picture (SIDE, SIDE) on white; None for what is no single coloured glyph of the font."""
    box = font.getbbox(text)
    if (box[2] - box[0], box[3] - box[1]) != CELL:
        return None
    glyph = Image.new("RGBA", CELL, (255, 255, 255, 0))
    ImageDraw.Draw(glyph).text((0, 0), text, font=font, embedded_color=True)
    if not glyph.getchannel("A").getbbox():
        return None
    white = Image.alpha_composite(Image.new("RGBA", CELL, "white"), glyph).convert("RGB")
    return ImageOps.pad(white, (SIDE, SIDE), Image.Resampling.BOX, color="white")


def lines(picture: Image.Image) -> Image.Image:
    """Grey picture: dark lines where neighbouring pixels differ."""
    thick, thin = picture.filter(ImageFilter.MaxFilter(3)), picture.filter(ImageFilter.MinFilter(3))
    contrast = np.asarray(ImageChops.subtract(thick, thin)).max(2)
    return Image.fromarray(np.where(contrast > MIN_CONTRAST, 255 - contrast, 255).astype(np.uint8))


def split_of(bases: list[str]) -> dict[str, str]:
    """Base → split, by a seeded permutation."""
    import torch

    order = torch.randperm(len(bases), generator=generator(0, "emoji")).tolist()
    names = [name for name, share in HELD_OUT.items() for _ in range(round(share * len(bases)))]
    names += ["train"] * (len(bases) - len(names))
    return {bases[i]: name for i, name in zip(order, names)}


def write_emoji(folder: Path, *, font: Path = FONT, cldr: Path = CLDR) -> int:
    """Write the folder atomically; returns the number of samples. Raises `BadFile`, `BadFolder`."""
    try:
        face = ImageFont.truetype(str(font), BITMAP_SIZE)
    except OSError as error:
        raise BadFile(font, f"{error}; is fonts-noto-color-emoji installed?") from error
    found = [(emoji, picture) for emoji in read_emoji(cldr) if (picture := draw(emoji.text, face))]
    splits = split_of(sorted({emoji.base for emoji, _ in found}))
    with new_folder(folder) as root:
        for name in ("train", *HELD_OUT):
            (root / name).mkdir()
        for number, (emoji, picture) in enumerate(found):
            stem = root / splits[emoji.base] / f"{number:04d}"
            picture.save(f"{stem}.image.png")
            lines(picture).save(f"{stem}.drawing.png")
            for language, name in emoji.names.items():
                Path(f"{stem}.{language}.txt").write_text(f"{name}\n", encoding="utf-8")
            Path(f"{stem}.group.json").write_text(json.dumps({"group": emoji.group}), encoding="utf-8")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, such as emoji")
    parser.add_argument("--font", type=Path, default=FONT, help="NotoColorEmoji.ttf")
    parser.add_argument("--cldr", type=Path, default=CLDR, help="CLDR's folder common")
    options = parser.parse_args()
    try:
        count = write_emoji(options.folder, font=options.font, cldr=options.cldr)
    except ModaloomError as error:
        parser.error(str(error))
    print(f"{count:,} emoji in {options.folder}")
    print(f"next: modaloom train {shlex.quote(str(options.folder))} --out runs/emoji --minutes 30")


if __name__ == "__main__":
    main()
