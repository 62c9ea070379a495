"""A file that grows, told line by line while something writes it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.2
MOST_LINES = 5000


@contextmanager
def followed(file: Path, tell: Callable[[str], None], most: int = MOST_LINES) -> Iterator[None]:
    """Inside, each new line is told; after ``most`` lines only where the rest is."""
    over = threading.Event()
    follower = threading.Thread(target=_follow, args=(file, tell, most, over), daemon=True)
    file.unlink(missing_ok=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()


def _follow(file: Path, tell: Callable[[str], None], most: int, over: threading.Event) -> None:
    told, at = 0, 0
    while told < most:
        ended = over.wait(POLL_SECONDS)  # what was written until then is still told
        lines, at = _since(file, at, whole=not ended)
        for line in lines[: most - told]:
            tell(line)
        told += len(lines)
        if ended and not lines:
            return
    tell(f"… the rest is in {file}")


def _since(file: Path, at: int, *, whole: bool) -> tuple[list[str], int]:
    """Lines after an offset, and where to go on; a ``whole`` one ends with a line break."""
    if not file.exists():
        return [], at
    with file.open("rb") as content:
        content.seek(at)
        found = content.read(1 << 20)
    if whole:
        found = found[: found.rfind(b"\n") + 1]
    return found.decode(errors="replace").splitlines(), at + len(found)
