"""Which samples of a folder a run did not learn from."""

from collections.abc import Mapping

from modaloom.data.folder import Folder
from modaloom.data.split import split
from modaloom.runs.config import DataConfig


def split_order(split: str) -> tuple[bool, str]:
    """What resembles the training data first."""
    return not split.endswith("seen"), split


def split_of(data: DataConfig, index: Folder) -> Mapping[str, str]:
    """Key → split: the folder's own, or else by what the run's own folder was split."""
    by = data.split_by
    return split(index, by=None if by == "key" or index.splits else by)
