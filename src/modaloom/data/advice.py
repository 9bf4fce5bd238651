"""Recommendations for a dataset folder, from its index and, for copies, the bytes of its files."""

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import BadFolder, bounded
from modaloom.core.types import Sample
from modaloom.data.copies import equal_files
from modaloom.data.folder import LABEL, Folder
from modaloom.modalities.files import File

FEW_SAMPLES = 200
"""Number of training samples below which a model is expected to memorise them."""
FEW_GROUPS = 10
PREFIX = r"([^/_ -]+)[_ -][^/]*$"
"""The part of a stem before its first separator, which may name a patient, speaker or scene."""


def check_trainable(folder: Folder, streams: Collection[str], split_of: Mapping[str, str]) -> None:
    """Raises `BadFolder` if there is no training sample, or none that has two of several streams."""
    train = [sample for sample in folder.samples if split_of[sample.key] == "train"]
    if not train:
        raise BadFolder(f"{folder.path} has no training sample; add files, or fill its folder train/")
    first = {name: sample.key for sample in reversed(train) for name in sample.streams if name in streams}
    rare = _rare_streams(folder)
    if len(first.keys() - rare) < 2 or any(len(sample.streams.keys() & first) > 1 for sample in train):
        return
    lone = bounded(f"{name} ({key})" for name, key in sorted(first.items()))
    why = [*_about_separate_folders(folder), *_about_case(folder)] or [
        "Files of one sample have the same name up to the first dot (0001.png 0001.txt), also in a folder "
        "for each stream (images/0001.png captions/0001.txt)."
    ]
    raise BadFolder(
        f"{folder.path}: no training sample has two of the streams, e.g. {lone}: nothing belongs together. "
        f"{' '.join(why)} For one stream alone: --streams NAME"
    )


def advise(
    folder: Folder, split_of: Mapping[str, str], problems: int, layout: str, further: Iterable[str] = ()
) -> list[str]:
    """Recommendations, the most important first; further ones are of the values."""
    asked = [] if layout == LAYOUT else ["--layout", layout]
    return [
        *_about_problems(problems),
        *_about_groups(folder, split_of),
        *_about_separate_folders(folder),
        *_about_case(folder),
        *_about_rare_streams(folder),
        *about_leaks(folder, split_of),
        *_about_copies(folder, split_of),
        *further,
        *_about_splits(folder, split_of),
        f"Train with: {shlex.join(['modaloom', 'train', str(folder.path), '--out', 'runs/mine', *asked])}",
    ]


def _about_problems(problems: int) -> Iterator[str]:
    if problems:
        yield f"{problems} files or folders are left out (listed): repair, rename or remove them."


def _about_groups(folder: Folder, split_of: Mapping[str, str]) -> Iterator[str]:
    """Groups of a table, or of long files, that are few or in several splits."""
    splits: dict[str, set[str]] = defaultdict(set)
    for key, group in folder.groups.items():
        splits[group].add(split_of[key])
    if 0 < len(splits) < FEW_GROUPS and folder.splits is None and len(folder.samples) > FEW_SAMPLES:
        yield (
            f"There are only {len(splits)} groups (e.g. {min(splits)}), each in one split: what is tested "
            "may be unlike what is trained on. If they are no patients, scenes, books or the like, use "
            "--split-by sample."
        )
    if torn := [group for group, found in splits.items() if len(found) > 1]:
        yield (
            f"{len(torn)} groups of a table are in several splits (e.g. {torn[0]}): move each into "
            "one, or the scores will be too good."
        )


def _about_separate_folders(folder: Folder) -> Iterator[str]:
    """`images/0001.png captions/0001.txt` are two samples, which is rarely intended."""
    if folder.splits is not None:
        return
    places: dict[str, list[str]] = defaultdict(list)
    streams: dict[str, list[str]] = defaultdict(list)
    for sample in folder.samples:
        parent, _, stem = sample.key.rpartition("/")
        places[stem].append(parent or ".")
        streams[stem] += [name for name in sample.streams if name != LABEL]
    apart = [
        stem for stem in places if len(places[stem]) > 1 and len(set(streams[stem])) == len(streams[stem])
    ]
    if apart:
        yield (
            f"{len(apart)} stems occur in several folders with different streams (e.g. {apart[0]!r} in "
            f"{' and '.join(places[apart[0]])}): files pair by their whole path, so put them into one folder."
        )


def _about_case(folder: Folder) -> Iterator[str]:
    """`IMG_1.png img_1.txt` are two samples, which is rarely intended."""
    alike: dict[str, list[Sample]] = defaultdict(list)
    for sample in folder.samples:
        alike[sample.key.casefold()].append(sample)
    apart = [samples for samples in alike.values() if len(samples) > 1 and _are_parts(samples)]
    if apart:
        keys = " and ".join(repr(sample.key) for sample in apart[0])
        yield (
            f"{len(apart)} names differ only in upper and lower case (e.g. {keys}) and in streams: "
            "files pair by their exact names, so rename them."
        )


def _are_parts(samples: Sequence[Sample]) -> bool:
    """Whether samples have no stream in common, as if they were one."""
    streams = [name for sample in samples for name in sample.streams if name != LABEL]
    return len({*streams}) == len(streams)


def _about_rare_streams(folder: Folder) -> Iterator[str]:
    rare = _rare_streams(folder)
    if rare:
        yield (
            f"Fewer than 1% of the samples have the streams {bounded(rare)}: the part of a file name "
            "between its first dot and its suffix is the stream. Rename the files or leave these streams out "
            "with --streams."
        )


def _rare_streams(folder: Folder) -> Sequence[str]:
    counts = Counter(name for sample in folder.samples for name in sample.streams)
    return [name for name in folder.modality_of if counts[name] < len(folder.samples) / 100]


def about_leaks(folder: Folder, split_of: Mapping[str, str]) -> Iterator[str]:
    """Data leaks: stems with a common prefix (patient, speaker, scene) in different splits."""
    groups: dict[str, set[str]] = defaultdict(set)
    sizes: Counter[str] = Counter()
    for key, name in split_of.items():
        if found := re.search(PREFIX, key):
            groups[found[1]].add(name)
            sizes[found[1]] += 1
    leaking = [prefix for prefix, splits in groups.items() if len(splits) > 1]
    if len(groups) < 2 or not leaking:
        return
    example = max(leaking, key=lambda prefix: (sizes[prefix], prefix))
    remedy = "move each into one split folder" if folder.splits is not None else f"use --split-by '{PREFIX}'"
    yield (
        f"Stems share a prefix across splits ({len(leaking)} prefixes, e.g. {example!r}: {sizes[example]} "
        f"samples): if it names a patient, speaker or scene, {remedy}, or the scores will be too good."
    )


def _about_copies(folder: Folder, split_of: Mapping[str, str]) -> Iterator[str]:
    """Pictures, sounds and the like that are in several samples."""
    seen: set[File] = set()
    for stream in folder.signals:
        sources = (sample.streams.get(stream) for sample in folder.samples)
        paths = {source for source in sources if isinstance(source, File)}
        groups = [] if paths <= seen else [*equal_files(folder, stream)]  # a track is in another's files
        seen |= paths
        if not groups:
            continue
        across = sum(len({split_of[key] for key in keys}) > 1 for keys in groups)
        split = f", {across} of them across splits: keep copies on one side" if across else ""
        yield (
            f"{sum(map(len, groups))} files of {stream} have the bytes of another ({len(groups)} different "
            f"ones, e.g. of {' and '.join(map(repr, groups[0][:2]))}){split}."
        )


def _about_splits(folder: Folder, split_of: Mapping[str, str]) -> Iterator[str]:
    counts = Counter(split_of.values())
    if folder.splits is not None and "val" not in counts:
        yield "There is no val folder: a validation score needs one."
    if counts["train"] < FEW_SAMPLES:
        yield (
            f"{counts['train']} training samples are few: the model will memorise them; "
            f"{FEW_SAMPLES} or more are better, thousands are good."
        )
