"""A backup as a value: its files, what must be in it, and whether the files are still those."""

from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Literal

from domain.digest import digest_of
from domain.errors import Failed

Kind = Literal["dump", "physical"]


@dataclass(frozen=True)
class Backup:
    """A folder of files: per file its size and SHA-256, per table its row count and checksum.

    ``files`` are as they lie there, so the sealed ones when it is ``sealed``; ``taken_at`` is the
    database's own time, ISO 8601 in UTC. ``asdict`` gives what JSON can keep, ``Backup(**record)``
    the backup again.
    """

    path: str
    kind: Kind
    sealed: bool
    taken_at: str
    files: dict[str, list[int | str]]
    tables: dict[str, list[int]]

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def size(self) -> int:
        return sum(int(size) for size, _ in self.files.values())

    @property
    def digest(self) -> str:
        return digest_of(self.files)

    @property
    def content(self) -> str:
        return digest_of(self.tables)

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())


def manifest(folder: Path) -> dict[str, list[int | str]]:
    """Every file below ``folder``: its size in bytes and its SHA-256."""
    return {
        str(path.relative_to(folder)): [path.stat().st_size, _digest(path)]
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def verify(backup: Backup) -> None:
    """Failed with every file that is missing, too many, of another size or of other content."""
    found = manifest(Path(backup.path))
    names = sorted({*found, *backup.files})
    wrong = [
        f"{name} {_difference(found.get(name), backup.files.get(name))}"
        for name in names
        if found.get(name) != backup.files.get(name)
    ]
    if wrong:
        raise Failed(f"backup {backup.name} is damaged: {'; '.join(wrong)}")


def _difference(found: list[int | str] | None, taken: list[int | str] | None) -> str:
    if found is None:
        return "is missing"
    if taken is None:
        return "was not in it"
    if found[0] != taken[0]:
        return f"has {found[0]:,} bytes instead of {taken[0]:,}"
    return "is not what was written"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
