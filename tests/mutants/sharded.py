"""Tar shards, broken on purpose."""

from mutant import Mutant

TAR, MEMBER = "data/test_tar_shards.py", "modalities/test_member.py"
DATASET = "data/test_parquet_writer.py"

SHARDED = (
    Mutant(
        "a member is read beyond its end",
        "modalities/member.py",
        "wanted = max(0, min(len(buffer), self._size - self._place))",
        "wanted = len(buffer)",
        MEMBER,
    ),
    Mutant(
        "an MP3 is counted from the start of its archive",
        "modalities/mp3.py",
        "return _counted(data, start)",
        "return _counted(data, 0)",
        MEMBER,
    ),
    Mutant(
        "a header may be as large as it claims",
        "data/tar_members.py",
        "if not 0 <= n <= MAX_HEADER:",
        "if not 0 <= n:",
        TAR,
    ),
    Mutant(
        "a member may end after its archive",
        "data/tar_members.py",
        "(found.size if plain else 0)) > size",
        "0) > size",
        TAR,
    ),
    Mutant(
        "paths may lead out of an archive",
        "data/tar_members.py",
        ' or ".." in found.name.split("/")',
        "",
        TAR,
    ),
    Mutant(
        "members of a sample at two places are two samples",
        "data/tar_index.py",
        "if key == after:",
        "if False:",
        TAR,
    ),
    Mutant(
        "groups are torn apart by shards",
        "data/tar_writer.py",
        "split(folder) if folder.groups else folder.splits or {}",
        "folder.splits or {}",
        TAR,
    ),
    Mutant(
        "rows of a dataset are numbered, not called",
        "data/table_rows.py",
        "named = all(own) and len({*own}) == len(table.lines)",
        "named = False",
        DATASET,
    ),
    Mutant(
        "a table that is stopped takes its files along",
        "data/parquet_writer.py",
        "            self._keep_files()\n",
        "",
        DATASET,
    ),
    Mutant(
        "a row group of any number of bytes",
        "data/parquet_writer.py",
        " or size >= GROUP_BYTES:",
        ":",
        DATASET,
    ),
)
