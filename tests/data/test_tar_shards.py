"""Tar shards: written, read back, and what is wrong with others'."""

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from trees import Contents, Tree

from modaloom.core.errors import BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, open_folder
from modaloom.data.reader import Reader
from modaloom.data.tar_members import MAX_HEADER
from modaloom.data.tar_writer import write_tar_shards
from modaloom.modalities.files import File

BLOCK = tarfile.BLOCKSIZE
WORDS = {f"{i:02d}.{stream}.txt": f"{stream} {i}" for i in range(4) for stream in ("a", "b")}


def tar(files: Mapping[str, str], *more: tarfile.TarInfo, end: bool = True) -> bytes:
    """An archive of texts and of headers without data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        for info in more:
            archive.addfile(info)
        place = archive.offset
    return buffer.getvalue() if end else buffer.getvalue()[:place]


def special(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def values(folder: Folder) -> dict[str, dict[str, object]]:
    """Key → stream → value, pictures as lists."""
    read = map(Reader(folder).read, folder.samples)
    return {
        s.key: {
            k: np.asarray(v).tolist() if not isinstance(v, str | dict) else v for k, v in s.streams.items()
        }
        for s in read
    }


def contents(sample: Sample) -> dict[str, bytes]:
    return {k: v.read_bytes() for k, v in sample.streams.items() if isinstance(v, File)}


TABLE = "file_name,caption,age\n1.png,one,3\n2.png,two,4.5\n"
DATASETS: dict[str, dict[str, Contents]] = {
    "splits": {
        f"{split}/{i}.{end}": 4 + i if end == "png" else f"text {i}"
        for split in ("training", "val", "test-hard")
        for i in range(3)
        for end in ("png", "caption.txt")
    },
    "no splits, gaps, odd names": {
        "a/1.png": 3,
        "a/2.png": 4,
        "a/2.note.json": '{"x": 1.5, "y": null}',
        "b c/日本.png": 5,
        "b c/日本.txt": "line\nline",
        "b c/IMG_2023.05.01.png": 6,
    },
    "splits inside": {f"set/{s}/{i}.txt": "x" for s in ("train", "val") for i in range(2)}
    | {f"set/{s}/{i}.png": 4 for s in ("train", "val") for i in range(2)},
    "classes": {f"{name}/{name}{i}.png": 4 + i for name in ("cat", "dog") for i in range(3)},
    "a folder for each stream": {f"{name}/{i}.png": 3 + i for name in ("image", "mask") for i in range(5)},
    "a table": {
        "metadata.csv": "file_name,caption,age\n1.png,one,3\n2.png,two,4.5\n",
        "1.png": 4,
        "2.png": 5,
    },
}


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_written_reads_back(name: str, tree: Tree, tmp_path: Path) -> None:
    """Keys, splits, streams, values, and the bytes of files are those of the folder."""
    folder = open_folder(tree(DATASETS[name]))
    write_tar_shards(folder, tmp_path / "out", samples=2, megabytes=1)
    found = open_folder(tmp_path / "out")
    assert (found.splits, found.modality_of, found.problems) == (folder.splits, folder.modality_of, [])
    assert values(found) == values(folder)
    for sample, other in zip(folder.samples, found.samples):
        assert contents(sample).items() <= contents(other).items()


def test_equal_data_has_equal_bytes(tree: Tree, tmp_path: Path) -> None:
    folder = open_folder(tree(DATASETS["a table"]))
    names = [write_tar_shards(folder, tmp_path / out, samples=1, megabytes=1) for out in "ab"]
    assert names == [["shard-000000.tar", "shard-000001.tar"]] * 2
    for name in names[0]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_shards_end_at_a_number_of_samples_or_bytes(tree: Tree, tmp_path: Path) -> None:
    folder = open_folder(tree({f"{i}.txt": "x" * 600 for i in range(6)}))
    assert len(write_tar_shards(folder, tmp_path / "a", samples=4, megabytes=1)) == 2
    assert len(write_tar_shards(folder, tmp_path / "b", samples=4, megabytes=0.002)) == 3
    assert [len(open_folder(tmp_path / out).samples) for out in "ab"] == [6, 6]


def test_splits_of_tables_and_groups_are_in_the_names_of_shards(tree: Tree, tmp_path: Path) -> None:
    """Two captions of a picture are two samples that stay in one split."""
    rows = "".join(f"{i}.png,{text} {i}\n" for i in range(12) for text in ("one", "two"))
    files = {f"{i}.png": 4 for i in range(12)}
    folder = open_folder(tree({"metadata.csv": f"file_name,caption\n{rows}", **files}))
    write_tar_shards(folder, tmp_path / "groups", samples=99, megabytes=1)
    split_of = open_folder(tmp_path / "groups").splits
    assert split_of is not None
    pairs = {key.rpartition("/")[2]: split for key, split in split_of.items()}
    assert len(pairs) == 24
    assert all(pairs[f"{i}"] == pairs[f"{i}#2"] for i in range(12))

    rows = "".join(f"{i}.png,{'train' if i % 3 else 'test'}\n" for i in range(12))
    folder = open_folder(tree({"metadata.csv": f"file_name,split\n{rows}"}))
    names = write_tar_shards(folder, tmp_path / "table", samples=99, megabytes=1)
    assert names == ["test-000000.tar", "train-000000.tar"]
    assert [s.key for s in open_folder(tmp_path / "table").samples][:3] == ["test/0", "test/3", "test/6"]


def test_keys_with_dots_are_told(tree: Tree, tmp_path: Path) -> None:
    names = ("Ada.Lovelace", "Alan.Turing", "Emmy.Noether")
    folder = open_folder(
        tree(
            {f"{name}.{end}": "x" for name in names for end in ("txt", "json")}
            | {f"{name}.json": '{"a": 1}' for name in names}
        )
    )
    assert [sample.key for sample in folder.samples] == [*names]
    told: list[str] = []
    write_tar_shards(folder, tmp_path / "out", samples=9, megabytes=1, notify=told.append)
    assert [s.key for s in open_folder(tmp_path / "out").samples] == [n.replace(".", "_") for n in names]
    assert "Ada.Lovelace → Ada_Lovelace" in told[0]


NAMES = {
    "train-000000.tar": "train/0",
    "cc3m-val-0000.tar": "val/0",
    "train-00000-of-00010.tar": "train/0",
    "00000.tar": "0",
    "training/00000.tar": "training/0",
    "test/train-0.tar": "test/0",
    "a/b_12.tar": "a/0",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_name_of_a_shard_says(name: str, tree: Tree) -> None:
    folder = open_folder(
        tree({name: tar({"./0.txt": "x", "./._0.txt": "y", "0.b.txt": "z", "README.md": "r"})})
    )
    assert [(s.key, [*s.streams]) for s in folder.samples] == [(NAMES[name], ["b", "text"])]
    assert not folder.problems


def test_samples_are_a_sequence(tree: Tree) -> None:
    folder = open_folder(tree({"1.tar": tar(WORDS), "2.tar": tar({"9.a.txt": "nine"})}))
    samples = folder.samples
    assert [sample.key for sample in samples[1:3]] == ["01", "02"]
    assert samples[-1].key == [*samples][4].key == "9"
    assert samples[:2][1] == samples[1]
    with pytest.raises(IndexError):
        samples[5]
    assert folder.recognised == ["tar shards: 5 samples in 2 archives"]


def changed(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def header(kind: bytes, size: int) -> bytes:
    """One that claims to be followed by so many bytes of a name."""
    info = special("x", kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


START = tar(WORDS, end=False)
LAST = 2 * BLOCK
"""Header and data of the last member."""
LEFT: dict[str, tuple[bytes, int, str]] = {
    "a last member without its end": (
        START[:-BLOCK],
        7,
        "is cut short in its member '03.b.txt'",
    ),
    "no end": (START, 8, "has no end: it may be cut short after '03.b.txt'"),
    "a header without its end": (START + bytes(100), 8, "has no end: it may be cut short after '03.b.txt'"),
    "a damaged header": (changed(tar(WORDS), len(START) - LAST, b"?"), 7, "has more after '03.a.txt'"),
    "a second archive": (tar(WORDS) + tar({"x.txt": "x"}), 8, "has more after '03.b.txt'"),
    "a huge name": (START + header(b"L", 2**33), 8, "claims 8,589,934,592 bytes; at most"),
    "a huge header of pax": (START + header(b"x", 2**32), 8, "claims 4,294,967,296 bytes; at most"),
    "a size below 0": (START + header(b"0", -4096), 8, "a size below 0"),
    "a hard link": (tar(WORDS, special("x.txt", tarfile.LNKTYPE, "00.a.txt")), 8, "is a link, a device"),
    "a link": (tar(WORDS, special("x.txt", tarfile.SYMTYPE, "/etc/passwd")), 8, "is a link, a device"),
    "a device": (tar(WORDS, special("x.txt", tarfile.CHRTYPE)), 8, "is a link, a device"),
    "a sparse file": (tar(WORDS, special("x.txt", tarfile.GNUTYPE_SPARSE)), 8, "is a link, a device"),
    "a pipe": (tar(WORDS, special("x.txt", tarfile.FIFOTYPE)), 8, "is a link, a device"),
    "a path up": (tar(WORDS | {"../x.txt": "x"}), 8, "has a path that leads out"),
    "a path inside up": (tar(WORDS | {"a/../../x.txt": "x"}), 8, "has a path that leads out"),
    "an absolute path": (tar(WORDS | {"/etc/x.txt": "x"}), 8, "has a path that leads out"),
    "a line end in a name": (tar(WORDS | {"x\n.txt": "x"}), 8, "has a name that is not UTF-8"),
    "an unknown suffix": (
        tar(WORDS | {"x.cls": "1", "y.cls": "2"}),
        8,
        r"2 members have an unknown suffix (.cls)",
    ),
}
"""What → (archive, values that are read of it, what is said)."""


@pytest.mark.timeout(10)
@pytest.mark.parametrize("what", LEFT)
def test_what_is_wrong_is_left_out_and_named(what: str, tree: Tree) -> None:
    data, count, said = LEFT[what]
    folder = open_folder(tree({"good-0.tar": tar({"z.txt": "good"}), "bad-0.tar": data}))
    assert sum(len(sample.streams) for sample in folder.samples) == count + 1
    assert [one.path.startswith("bad-0.tar") and said in one.reason for one in folder.problems] == [True]
    assert len(values(folder)) == len(folder.samples)


REFUSED: dict[str, tuple[Mapping[str, bytes], str]] = {
    "a name twice": (
        {"0.tar": tar(WORDS, special("00.a.txt"))},
        r"'00' is at two places, .*0.tar/00.a.txt and",
    ),
    "a stream twice": (
        {"0.tar": tar({"1.txt": "x", "1.text.txt": "y"})},
        r"two values for stream 'text' of sample '1': .*0.tar/1.txt and .*0.tar/1.text.txt",
    ),
    "members apart": (
        {"0.tar": tar({"1.a.txt": "", "2.a.txt": "", "1.b.txt": ""})},
        r"'1' is at two places, .*0.tar/1.a.txt and .*0.tar/1.b.txt",
    ),
    "one key in two shards": (
        {"0.tar": tar({"1.a.txt": ""}), "1.tar": tar({"1.b.txt": ""})},
        r"'1' is at two places, .*0.tar/1.a.txt and .*1.tar/1.b.txt.* in folders of their own",
    ),
    "two modalities of a stream": (
        {"0.tar": tar({"1.x.txt": "", "2.x.json": "{}"})},
        r"'x' is text in .*0.tar/1.x.txt and record in .*0.tar/2.x.json",
    ),
    "compressed": ({"0.tar": gzip.compress(tar(WORDS))}, r"0.tar: is compressed \(gzip\).*unpack it"),
    "compressed by name": ({"0.tar.gz": gzip.compress(tar(WORDS))}, r"0.tar.gz: is a compressed tar.*unpack"),
    "no tar": ({"0.tar": b"a text that is no archive" * 99}, r"0.tar: is damaged after its start"),
    "empty": ({"0.tar": b""}, r"0.tar: is damaged after its start"),
    "pictures beside": ({"0.tar": tar(WORDS), "x.png": b"?"}, r"1 files beside them \(x.png\); move"),
}
"""What → (files, what is said)."""


@pytest.mark.timeout(10)
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused(what: str, tree: Tree) -> None:
    files, said = REFUSED[what]
    with pytest.raises(BadFolder, match=f"(?s){said}"):
        open_folder(tree(files))


def test_what_lies_beside_shards_is_left_out(tree: Tree) -> None:
    """Statistics and tables, as downloaders write them."""
    files: dict[str, Contents] = {
        "00000.tar": tar(WORDS),
        "00000.csv": "key,a\n00,x\n",
        "00000_stats.json": "{}",
    }
    folder = open_folder(tree({**files, "all.tar": tar({"9.txt": ""})}))
    assert len(folder.samples) == 4
    assert {one.path for one in folder.problems} == {*files, "all.tar"} - {"00000.tar"}


def test_an_archive_beside_files_is_no_dataset(tree: Tree) -> None:
    folder = open_folder(tree({"a.txt": "x", "b.txt": "y", "backup.tar": tar(WORDS)}))
    assert [sample.key for sample in folder.samples] == ["a", "b"]
    assert [(one.path, one.reason) for one in folder.problems] == [
        ("backup.tar", "has an unknown suffix (.tar)")
    ]


def test_long_names_are_read_in_every_format(tree: Tree) -> None:
    long = "/".join(["folder" * 20] * 4)
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
            archive.addfile(tarfile.TarInfo(f"{long}/日.txt"))
        (sample,) = open_folder(tree({"0.tar": buffer.getvalue()})).samples
        assert sample.key == f"{long}/日"
    assert len(long) < MAX_HEADER


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_members_of_an_archive_that_changes_are_skipped_by_name(
    change: Callable[[Path], object], tree: Tree
) -> None:
    root = tree({"0.tar": tar(WORDS)})
    folder = open_folder(root)
    change(root / "0.tar")
    reader = Reader(folder, max_skipped_fraction=1)
    assert [reader.read(sample).streams for sample in folder.samples] == [{}] * 4
    assert next(iter(reader.skips.values())).path == "0.tar/00.a.txt"
