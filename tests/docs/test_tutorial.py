"""The tutorial, typed as it stands there: a real stack, real releases, and the answers it tells."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from domain.version import written
from tests.docs.reading import DOCS, ROOT, blocks, lines
from tests.docs.test_examples import merged
from tests.flows.world import Settings, quick

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(600)]

ANSWERED = {"gift notes": 3, "--ref rounding": 2}
"""What a line has in it, and the code it ends with, as the tutorial tells; all others: 0."""
AN_AUTHOR = {
    f"GIT_{who}_{what}": "ann@shop.example"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
THE_END = "-- answered:"


class Terminal:
    """One shell, so that a folder or a variable set by a line holds for those after it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shell = subprocess.Popen(
            ["bash"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, **AN_AUTHOR},
        )  # fmt: skip

    def typed(self, line: str) -> tuple[int, str]:
        """The code that the line ends with, and everything it printed."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{{ {line}\n}} </dev/null\n")
        self._shell.stdin.write(f'printf "\\n{THE_END}%d\\n" $?\n')
        self._shell.stdin.flush()
        told = []
        for answer in self._shell.stdout:
            if answer.startswith(THE_END):
                return int(answer.removeprefix(THE_END)), "".join(told)
            told.append(answer)
        raise AssertionError(f"the shell ended: {''.join(told)}")

    def end(self) -> None:
        self._shell.kill()
        self._shell.wait()


@contextmanager
def opened(folder: Path) -> Iterator[Terminal]:
    """In a folder that has of Tradewind what the tutorial uses; what it started is ended.

    The sample's tests run without measuring their coverage, which is not what this is about.
    """
    here = folder / "tradewind"
    kept = shutil.ignore_patterns(".tradewind", "__pycache__")
    shutil.copytree(ROOT / "examples" / "shop", here / "examples" / "shop", ignore=kept)
    settle(here / "examples" / "shop" / "shop.yaml", quick)
    (here / ".venv").symlink_to(sys.prefix)
    terminal = Terminal(here)
    try:
        yield terminal
    finally:
        terminal.end()
        tradewind = Path(sys.executable).with_name("tradewind")
        shop = folder / "my-shop" / "shop.yaml"
        subprocess.run([tradewind, "--shop", shop, "down"], check=False, capture_output=True)


def followed(terminal: Terminal) -> dict[str, str]:
    """The answer to every line; what is asked for in shop.yaml is entered on the way."""
    now = datetime.now(UTC).date()
    answers: dict[str, str] = {}
    for block in blocks(DOCS / "tutorial.md"):
        if block.language == "yaml":
            entered(terminal.folder.parent / "my-shop" / "shop.yaml", yaml.safe_load(block.text))
        for line in lines(block) if block.language == "console" else ():
            if not line.startswith("make "):
                line = line.replace("2026.11.24.", written(now, 0)[:-1])
                code, answers[f"{len(answers)} {line}"] = terminal.typed(line)
                assert code == expected(line), f"{line}\n{[*answers.values()][-1]}"
    return answers


def entered(shop: Path, more: Settings) -> None:
    settle(shop, lambda settings: settings.update(merged(settings, more)))


def settle(shop: Path, change: Callable[[Settings], None]) -> None:
    settings = yaml.safe_load(shop.read_text())
    change(settings)
    shop.write_text(yaml.safe_dump(settings, sort_keys=False))


def expected(line: str) -> int:
    found = (code for words, code in ANSWERED.items() if words in line and "release" in line)
    return next(found, 0)


def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    with opened(tmp_path) as terminal:
        answers = followed(terminal)

    said = {line.partition(" ")[2]: " ".join(text.split()) for line, text in answers.items()}
    first, second = (written(datetime.now(UTC).date(), number) for number in (1, 2))
    assert "Completed" in said[f"tradewind approve {second} --by bo"]
    assert "Refused" in said["tradewind release --ref rounding --until staging --by ann"]
    assert first in said["tradewind rollback staging --by ann"]
    assert any(f"{first} serves in staging again" in text for text in said.values())
    assert second in said[f"tradewind trace {second}"]
