"""Files that are far longer than a model's values, cut into windows that are samples of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median_low

from modaloom.core.errors import BadFile
from modaloom.core.types import Sample
from modaloom.data.layout import LAYOUTS, STEMS, WINDOWS, UnclearLayout
from modaloom.data.walk import Problem, make_problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Limits
from modaloom.modalities.files import File

LimitsOf = Callable[[str], Limits]
"""Modality → its limits."""
LONG = 16
"""Windows that the median file has at least, where files are cut without being asked to."""
NUM_JUDGED = 16
"""Files that are looked at for that."""
MIN_FILES = 3
"""Fewer cannot be one in each split: then windows are divided, not files."""


def default_limits(modality: str) -> Limits:
    """Those of a modality, where no configuration has others."""
    return MODALITIES[modality].limits


@dataclass(frozen=True)
class Cut:
    """Windows of files."""

    samples: Sequence[Sample]
    """In the order of the files; the text of a window is in the index."""
    file_of: Mapping[str, str]
    """Key of a window → that of its file."""
    group_of: Mapping[str, str]
    """The same of those that stay in one split."""
    problems: Sequence[Problem]
    """Files that cannot be read."""
    sentence: str
    """What was done."""


def has_long(samples: Sequence[Sample], modality_of: Mapping[str, str], limits_of: LimitsOf) -> bool:
    """Whether there is one stream alone, in files that can be cut and of which most are far longer than a
    window."""
    if len(modality_of) > 1 or not any(MODALITIES[name].windows for name in modality_of.values()):
        return False
    stream = _stream_of_files(samples, modality_of)
    if stream is None:
        return False
    few = samples[:: max(1, len(samples) // NUM_JUDGED)][:NUM_JUDGED]
    counts = []
    for sample in few:
        try:
            counts.append(len(_windows(sample, stream, modality_of[stream], limits_of)))
        except BadFile:
            continue
    return bool(counts) and median_low(counts) >= LONG


def cut_files(
    root: Path,
    samples: Sequence[Sample],
    modality_of: Mapping[str, str],
    limits_of: LimitsOf,
    *,
    divided: bool,
) -> Cut:
    """Cut the one stream of files; what tables say of a file, they say of its windows.

    Args:
        root: the folder.
        samples: one for each file.
        modality_of: stream → modality.
        limits_of: within which windows are.
        divided: whether the splits are fixed.

    Raises:
        UnclearLayout: there are several streams of files, or files that are never cut.
    """
    stream = _stream_of_files(samples, modality_of)
    if stream is None:
        raise UnclearLayout(f"has no layout {WINDOWS!r}: {LAYOUTS[WINDOWS]}, and no files beside them")
    modality, found, file_of, problems = (
        modality_of[stream],
        list[Sample](),
        dict[str, str](),
        list[Problem](),
    )
    for sample in samples:
        try:
            windows = _windows(sample, stream, modality, limits_of)
        except BadFile as error:
            problems.append(make_problem(root, Path(str(error.path)), error.reason))
            continue
        for i, window in enumerate(windows):
            key = f"{sample.key}#{i:0{len(str(len(windows)))}}"
            file_of[key] = sample.key
            found.append(Sample(key, {**sample.streams, stream: window}))
    count = len({*file_of.values()})
    whole = divided or count >= MIN_FILES
    limits = ", ".join(
        f"data.limits.{modality}.{name}={value}" for name, value in asdict(limits_of(modality)).items()
    )
    where = "a file is in one split" if whole else f"as there are fewer than {MIN_FILES}, splits divide files"
    sentence = (
        f"{stream}: {count:,} long files are cut into {len(found):,} windows within {limits}; "
        f"{where} (--layout {STEMS}: a file is a sample)"
    )
    return Cut(found, file_of, file_of if whole else {}, problems, sentence)


def _stream_of_files(samples: Sequence[Sample], modality_of: Mapping[str, str]) -> str | None:
    """The one stream that all samples have in a file, if those can be cut."""
    in_files = [
        frozenset(name for name, source in sample.streams.items() if isinstance(source, File))
        for sample in samples
    ]
    streams = {name for names in in_files for name in names}
    if len(streams) != 1 or not all(in_files):
        return None
    (stream,) = streams
    return None if MODALITIES[modality_of[stream]].windows is None else stream


def _windows(sample: Sample, stream: str, modality: str, limits_of: LimitsOf) -> Sequence[str]:
    """Raises `BadFile`."""
    cut = MODALITIES[modality].windows
    assert cut is not None
    return cut(sample.streams[stream], limits_of(modality))
