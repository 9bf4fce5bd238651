"""Members of archives that are made here."""

from pathlib import Path

from modaloom.modalities.member import Member


def member_of(path: Path, before: bytes = b"\xff" * 777) -> Member:
    """The bytes of a file inside of another."""
    archive = path.with_suffix(".tar")
    archive.write_bytes(before + path.read_bytes() + b"\xff" * 5_000)
    return Member(archive, f"some/{path.name}", len(before), path.stat().st_size)
