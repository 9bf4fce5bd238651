"""Writes Tux Paint's stamps as a folder: pictures, names in two languages, and names spoken in four.

Read where they are installed (GPL-2; on Debian: apt-get install tuxpaint-stamps-default). A stamp is a
picture with its name in English and Chinese, its kind, recordings of its name in French, Spanish, Catalan and
Belarusian with what they are meant to say, and some a sound of the thing itself. Stamps that are drawings in
SVG alone are left out. `modaloom inspect` finds that hundreds of the recordings are copies of another, and
that two of the languages hardly follow their texts. Nearly every name occurs once, so that the speech of a
held-out picture cannot be learned from it: what the recordings are good for is a codec, and an audit.
"""

import argparse
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from modaloom.core.errors import BadFolder, ModaloomError
from modaloom.data.atomic_io import new_folder

STAMPS = Path("/usr/share/tuxpaint/stamps")
SPOKEN: Mapping[str, str] = {"fr": "french", "es": "spanish", "ca": "catalan", "be": "belarusian"}
"""Language → name of its stream of speech; `NAME_text` is what it says."""
LINE = re.compile(r"^([\w@]+)\.utf8=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Stamp:
    """A picture and what belongs to it."""

    key: str
    texts: Mapping[str, str]
    """Stream → text."""
    files: Mapping[str, Path]
    """Stream → file."""


def read_stamps(stamps: Path) -> Iterator[Stamp]:
    """All that have a picture and an English name. Raises `BadFolder`."""
    pictures = sorted(stamps.rglob("*.png"))
    if not pictures:
        raise BadFolder(f"{stamps} has no stamps; is tuxpaint-stamps-default installed?")
    for picture in pictures:
        told = picture.with_suffix(".txt")
        if told.is_file():
            yield _stamp(stamps, picture, told.read_text("utf-8", errors="replace"))


def _stamp(stamps: Path, picture: Path, told: str) -> Stamp:
    place, translated = picture.relative_to(stamps), dict(LINE.findall(told))
    names = {"english": told.partition("\n")[0], "chinese": translated.get("zh_CN", "")}
    spoken = {f"{stream}_text": translated.get(language, "") for language, stream in SPOKEN.items()}
    texts = {"kind": place.parts[0], **names, **spoken}
    files = {
        "picture": picture,
        "sound": picture.with_suffix(".ogg"),
        **{
            stream: picture.with_name(f"{picture.stem}_desc_{language}.ogg")
            for language, stream in SPOKEN.items()
        },
    }
    return Stamp(
        "-".join(place.with_suffix("").parts),
        {name: text.strip() for name, text in texts.items() if text.strip()},
        {name: path for name, path in files.items() if path.is_file()},
    )


def write_stamps(folder: Path, stamps: Path = STAMPS) -> int:
    """Write the folder atomically; returns the number of samples. Raises `BadFolder`."""
    found = [*read_stamps(stamps)]
    with new_folder(folder) as root:
        for stamp in found:
            for name, text in stamp.texts.items():
                (root / f"{stamp.key}.{name}.txt").write_text(f"{text}\n", encoding="utf-8")
            for name, path in stamp.files.items():
                shutil.copyfile(path, root / f"{stamp.key}.{name}{path.suffix}")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a new folder, such as stamps")
    parser.add_argument("--stamps", type=Path, default=STAMPS)
    options = parser.parse_args()
    try:
        count = write_stamps(options.folder, options.stamps)
    except ModaloomError as error:
        parser.error(str(error))
    print(f"{count:,} stamps in {options.folder}")
    print(f"next: modaloom inspect {shlex.quote(str(options.folder))}")


if __name__ == "__main__":
    main()
