"""A kept text: only its owner reads it, and one at a time changes it."""

import multiprocessing
from pathlib import Path

import pytest

from blocks.channels.kept import KeptFile
from domain.errors import Unavailable


def test_nothing_is_kept_at_first_and_the_last_text_after_that(tmp_path: Path) -> None:
    kept = KeptFile(tmp_path / "deep" / "tokens.json")

    with kept.alone():
        first = kept.load()
        kept.save("one")
        kept.save("two")

    assert (first, KeptFile(kept.path).load()) == ("", "two")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    kept = KeptFile(tmp_path / "tokens.json")
    (tmp_path / "tokens.fresh").touch(0o644)

    kept.save("secret")

    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "tokens.fresh").exists()


def test_whoever_waits_too_long_is_told(tmp_path: Path) -> None:
    kept = KeptFile(tmp_path / "tokens.json", alone_seconds=0.1)

    with (
        kept.alone(),
        pytest.raises(Unavailable, match=r"tokens\.lock is held for over 0\.1 s"),
        kept.alone(),
    ):
        pass


def _count_on(path: Path, times: int) -> None:
    kept = KeptFile(path)
    for _ in range(times):
        with kept.alone():
            kept.save(str(int(kept.load() or "0") + 1))


def test_processes_do_not_overwrite_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "count"
    both = [context.Process(target=_count_on, args=(path, 50)) for _ in range(2)]

    for one in both:
        one.start()
    for one in both:
        one.join(20)

    assert path.read_text() == "100"
