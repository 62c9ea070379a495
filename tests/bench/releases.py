"""The release that everybody deploys: 400 files and 20 MB, in sizes as a service has them."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")
FILES, BYTES = 400, 20_000_000
SPREAD = 1.8
"""Sigma of the log-normal sizes: a median of 15 kB, the largest nearly 1 MB."""
LIBRARY_BYTES = 200_000
"""Files from here on are compiled libraries, here random bytes; smaller ones are text."""
POOL_BYTES = 2_000_000
NEW_SHARE = 0.10
WORDS = ("def", "class", "return", "self", "import", "order", "stock", "channel", "price", "sku")


@dataclass(frozen=True)
class Release:
    """``folder`` holds ``app`` and ``site``; ``archive`` is a plain tar of the same."""

    version: str
    folder: Path
    archive: Path


class Releases:
    """A line of versions in one folder, each made from the one before; the same every time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._contents: dict[str, bytes] = {}

    def wholly_new(self) -> Release:
        chance = random.Random(self._number)
        pool = Pool(chance)
        self._contents = {name: pool.content(size) for name, size in sizes()}
        return self._written()

    def mostly_the_same(self) -> Release:
        """Whole files are new, a tenth of all bytes; the rest is as in the version before."""
        chance = random.Random(self._number)
        pool, names = Pool(chance), list(self._contents)
        chance.shuffle(names)
        for name in portion(names, {name: len(self._contents[name]) for name in names}):
            self._contents[name] = pool.content(len(self._contents[name]))
        return self._written()

    def _written(self) -> Release:
        self._number += 1
        version = str(self._number)
        folder = self._folder / version
        for name, content in self._contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "app" / "server.py").write_text(SERVER.read_text().replace("{version}", version))
        archive = self._folder / f"{version}.tar"
        subprocess.run(["tar", "cf", archive, "-C", folder, "."], check=True)
        return Release(version, folder, archive)


class Pool:
    """Content that no other pool has."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        words = [f"{word}_{chance.randrange(5000)}" for word in WORDS for _ in range(200)]
        lines = (" ".join(chance.choices(words, k=8)) for _ in range(POOL_BYTES // 60))
        self._text = "\n".join(lines).encode()

    def content(self, size: int) -> bytes:
        if size >= LIBRARY_BYTES:
            return self._chance.randbytes(size)
        start = self._chance.randrange(len(self._text) - size)
        return self._text[start : start + size]


def sizes() -> Iterator[tuple[str, int]]:
    """Name and size of each file; the sizes add up to 20 MB."""
    chance = random.Random(0)
    raw = [chance.lognormvariate(0, SPREAD) for _ in range(FILES)]
    for number, share in enumerate(raw):
        size = max(1, round(BYTES * share / sum(raw)))
        top = "app" if number % 10 == 0 else "site"
        ending = "so" if size >= LIBRARY_BYTES else "py"
        yield f"{top}/package_{number % 23}/module_{number}.{ending}", size


def portion(names: list[str], sizes_of: dict[str, int]) -> Iterator[str]:
    """As many of ``names`` as fit into a tenth of all bytes."""
    left = NEW_SHARE * sum(sizes_of.values())
    for name in names:
        if sizes_of[name] <= left:
            left -= sizes_of[name]
            yield name
