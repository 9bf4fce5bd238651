"""Assigns the samples of a folder to training and held-out splits."""

from collections.abc import Mapping

from modaloom.data.folder import Folder
from modaloom.data.split import split
from modaloom.runs.config import DataConfig


def split_order(split: str) -> tuple[bool, str]:
    """Sort key that puts the splits that are closest to the training data first."""
    return not split.endswith("seen"), split


def split_of(data: DataConfig, index: Folder) -> Mapping[str, str]:
    """Key → split: the folder's own splits, else the split rule of the run's configuration."""
    by = data.split_by
    return split(index, by=None if by == "key" or index.splits else by)
