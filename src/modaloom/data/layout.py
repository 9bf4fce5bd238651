"""How a folder is arranged: which part of a file's path is the key of its sample, and which names its stream.

A layout is chosen by evidence, and refused where two fit equally well: a wrong one would be learned without
a word.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import bounded, check_choice
from modaloom.data.names import Name

SPLIT = re.compile(r"(train|training|valid|validation|val|dev|test|testing)([-_].*)?", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<base>.*?)[-_.]?\d+(-of-\d+)?", re.IGNORECASE)
"""The name of one of several parts, without its suffix: train-000000, 00000, train-00000-of-00010."""
STEMS, CLASSES, FOLDERS = "stems", "classes", "folders"
SUFFIXES, SAMPLES, DEFECTS, WINDOWS = "suffixes", "samples", "defects", "windows"
LAYOUTS: Mapping[str, str] = {
    LAYOUT: "whichever of these is found",
    STEMS: "files of one name are a sample: 0001.png 0001.txt",
    CLASSES: "the same, and folders are labels: cat/0001.png dog/0002.png",
    FOLDERS: "a folder for each stream: images/0001.png masks/0001.png captions/0001.txt",
    SUFFIXES: "a word at the end of the name for each stream: 0001_t1.png 0001_mask.png",
    SAMPLES: "a folder for each sample: 0001/photo.png 0001/mask.png",
    DEFECTS: "masks of test pictures in a folder ground_truth: test/crack/0001.png "
    "ground_truth/crack/0001_mask.png",
    WINDOWS: "long texts are cut into windows, which are samples: genesis.txt exodus.txt",
}
"""Name → what it means."""

USUAL = re.compile(
    "(image|img|picture|photo|rgb|colou?r|gr[ae]y|mask|seg|segmentation|label|annotation|lulc|depth|normal|edge"
    "|sketch|drawing|line|t1|t2|t1c|t1ce|t1gd|flair|adc|dwi|pd|ct|mri?|pet|input|output|source|target|gt"
    "|ground_?truth|lr|hr|low|high|before|after|pre|post|caption|text|txt|prompt|description|sentence|audio|sound"
    "|speech|voice|wav|music|clip|video|record|meta|nir|ir|infrared|thermal|sar|optical|s1|s2|vv|vh|clean|nois[ey]"
    "|blur|blurred|sharp|raw|front|back|left|right|a|b|original|edited|style)(s|es)?",
    re.IGNORECASE,
)
"""Words that name a stream."""
ENOUGH = 0.5
"""Share of the samples that have a stream, from which on it is one of the layout's."""
MAX_STREAMS = 24
TOKEN = re.compile(r"(?P<base>[^/]*[^/_ -])[_ -](?P<word>[^\W\d_-][^\W_-]*)")

Placed = Callable[[Name], Name | None]
"""A name with the path up to the first dot as key → that of its sample and stream; None: none of them."""


class UnclearLayout(Exception):
    """Two layouts fit, or not the one that was asked for; the message goes on from a path."""


@dataclass(frozen=True)
class Arrangement:
    """A layout as it applies to one folder."""

    layout: str
    place: Placed
    sentence: str
    """What was recognised."""


def arrange(names: Sequence[Name], layout: str = LAYOUT, words: Collection[str] = ()) -> Arrangement:
    """The arrangement of files.

    Args:
        names: of the files; keys are paths below the folder up to the first dot.
        layout: one of `LAYOUTS`.
        words: names of groups of samples that tables may have; folders of these names are no streams.

    Raises:
        UnclearLayout: `auto` finds two that fit, or the folder does not have the one that is asked for.
        BadValue: an unknown layout.
    """
    check_choice("layout", layout, LAYOUTS)
    if layout == LAYOUT and names:
        folders = {folder for name in names for folder in name.key.split("/")[:-1]}
        groups = bool(folders) and len(folders & {*words}) >= ENOUGH * len(folders)
        finders = [find for name, find in FINDERS.items() if not (groups and name == FOLDERS)]
        found = (find(names, False) for find in finders)
        return next((one for one in found if one is not None), _plain(STEMS))
    if not names:
        return Arrangement(STEMS, lambda name: name, "")
    if layout in (STEMS, CLASSES, WINDOWS):
        return _plain(layout)
    asked = FINDERS[layout](names, True)
    if asked is None:
        raise UnclearLayout(f"has no layout {layout!r}: {LAYOUTS[layout]}")
    return asked


def _plain(layout: str) -> Arrangement:
    return Arrangement(layout, lambda name: name, LAYOUTS[layout])


def _defects(names: Sequence[Name], asked: bool) -> Arrangement | None:
    mask = re.compile(r"((?:.*/)?)ground_truth/(.+?)(?:_mask)?")
    keys = {name.key for name in names}
    masks = [found for name in names if (found := mask.fullmatch(name.key))]
    if not masks or not (asked or all(f"{found[1]}test/{found[2]}" in keys for found in masks)):
        return None

    def place(name: Name) -> Name:
        found = mask.fullmatch(name.key)
        return replace(name, key=f"{found[1]}test/{found[2]}", stream="mask") if found else name

    return Arrangement(
        DEFECTS, place, f"{len(masks):,} masks of test pictures in ground_truth; folders are labels"
    )


def _folders(names: Sequence[Name], asked: bool) -> Arrangement | None:
    depth = _common_depth(names)
    inside = [name for name in names if name.key.count("/") > depth]
    rests: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in inside:
        folder, rest = _without(name.key, depth)
        rests[folder].add(rest)
        kinds[folder].add(name.stream)
    if not 2 <= len(rests) <= MAX_STREAMS or (not asked and any(map(_is_train, rests))):
        return None
    shared = [rest for rest, n in Counter(r for found in rests.values() for r in found).items() if n > 1]
    second = sorted(map(len, rests.values()))[-2]
    if not asked:
        if any(name.stream != name.modality for name in inside):
            return None
        if len(shared) < max(len(rests), ENOUGH * second) or any(len(found) > 1 for found in kinds.values()):
            return None
        if len(set(map(frozenset, kinds.values()))) == 1 and not any(map(_is_usual, rests)):
            raise UnclearLayout(
                f"has files of the same names in the folders {bounded(sorted(rests))} (e.g. {min(shared)}). "
                f"{choices(FOLDERS, CLASSES, STEMS)}"
            )

    def place(name: Name) -> Name | None:
        if name.key.count("/") <= depth:
            return None
        folder, rest = _without(name.key, depth)
        stream = stream_name(folder) if len(kinds[folder]) == 1 else f"{stream_name(folder)}.{name.stream}"
        return replace(name, key=rest, stream=stream)

    return Arrangement(FOLDERS, place, f"a folder for each stream: {bounded(sorted(rests))}")


def _suffixes(names: Sequence[Name], asked: bool) -> Arrangement | None:
    found = {name.key: _token(name.key) for name in names}
    bases: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in names:
        if (token := found[name.key]) is not None:
            bases[token[0]].add(token[1])
            kinds[token[1]].add(name.stream)
    whole = {key for key in found if key in bases}
    paired = {base for base, words in bases.items() if len(words) > 1 or base in whole}
    counts = Counter(word for base in paired for word in bases[base])
    words = {word for word, count in counts.items() if asked or count >= ENOUGH * len(paired)}
    if not words or len(words) > MAX_STREAMS or any(len(kinds[word]) > 1 for word in words):
        return None
    inside = [key for key, token in found.items() if key in whole or (token and token[1] in words)]
    if not asked:
        if len(paired) < max(2, len(words)) or len(inside) < 0.9 * len(found):
            return None
        if not any(map(_is_usual, words)):
            if len({name.stream for name in names}) > 1:
                return None
            raise UnclearLayout(
                f"has names that end in {bounded(sorted(words))} for nearly every sample (e.g. "
                f"{min(paired)}). {choices(SUFFIXES, STEMS)}"
            )

    def place(name: Name) -> Name:
        token = found[name.key] if name.key in found else _token(name.key)
        if token is None or token[1] not in words or name.key in whole:
            return name
        return replace(name, key=token[0], stream=token[1])

    return Arrangement(
        SUFFIXES, place, f"a word at the end of the name for each stream: {bounded(sorted(words))}"
    )


def _samples(names: Sequence[Name], asked: bool) -> Arrangement | None:
    stems: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[str]] = defaultdict(set)
    for name in names:
        folder, _, stem = name.key.rpartition("/")
        if not folder or stream_name(stem) != stem:
            return None
        stems[folder].add(stem)
        kinds[stem].add(name.stream)
    counts = Counter(stem for found in stems.values() for stem in found)
    if len(counts) < 2 or len(counts) > MAX_STREAMS or any(len(found) > 1 for found in kinds.values()):
        return None
    if not asked:
        several = len(set(map(frozenset, kinds.values()))) > 1
        if len(stems) < max(2, len(counts)) or min(counts.values()) < ENOUGH * len(stems):
            return None
        if not several and not any(map(_is_usual, counts)):
            return None

    def place(name: Name) -> Name:
        folder, _, stem = name.key.rpartition("/")
        return replace(name, key=folder, stream=stem)

    return Arrangement(SAMPLES, place, f"a folder for each sample, with {bounded(sorted(counts))}")


FINDERS: Mapping[str, Callable[[Sequence[Name], bool], Arrangement | None]] = {
    DEFECTS: _defects,
    FOLDERS: _folders,
    SUFFIXES: _suffixes,
    SAMPLES: _samples,
}
"""Layout → what finds it in names, the most certain first; one that is asked for needs less evidence."""


def choices(*layouts: str) -> str:
    """A request to choose, with what each layout means."""
    meanings = "; ".join(f"--layout {layout} ({LAYOUTS[layout]})" for layout in layouts)
    return f"Say which it is: {meanings}"


def _common_depth(names: Iterable[Name]) -> int:
    """The number of leading folders that are splits, or the same for all."""
    paths = [name.key.split("/")[:-1] for name in names]
    depth = 0
    least = min(map(len, paths), default=0)
    while depth + 1 < least and _is_outer({path[depth] for path in paths}):
        depth += 1
    return depth


def _is_train(folder: str) -> bool:
    return folder.lower() in ("train", "training")


def _is_outer(folders: Collection[str]) -> bool:
    return len(folders) == 1 or all(SPLIT.fullmatch(folder) for folder in folders)


def _without(key: str, depth: int) -> tuple[str, str]:
    """The folder at a depth, and the key without it."""
    parts = key.split("/")
    return parts[depth], "/".join([*parts[:depth], *parts[depth + 1 :]])


def _token(key: str) -> tuple[str, str] | None:
    """The key without the last word of its name, and that word."""
    folder, slash, stem = key.rpartition("/")
    found = TOKEN.fullmatch(stem)
    return (f"{folder}{slash}{found['base']}", found["word"]) if found else None


def _is_usual(word: str) -> bool:
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", word) if len(part) > 1]
    return any(USUAL.fullmatch(part) for part in [word, *parts])


def stream_name(folder: str) -> str:
    """A stream's name as near to that of a folder or column as can be."""
    name = re.sub(r"[^\w-]+", "_", folder)
    return f"_{name}" if not re.match(r"[^\W\d]", name) else name


def is_numbered(path: Path) -> bool:
    """Whether a file is called like one of several parts."""
    return NUMBERED.fullmatch(path.stem) is not None


def split_name(path: Path) -> str:
    """The split that the name of a file of many samples says, by all or its last word; empty if none."""
    numbered = NUMBERED.fullmatch(path.stem)
    base = numbered["base"] if numbered else path.stem
    names = (base, re.split(r"[-_.]", base)[-1])
    return next((name for name in names if SPLIT.fullmatch(name)), "")
