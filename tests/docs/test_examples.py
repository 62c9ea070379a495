"""What the documentation shows is tried: settings are valid, commands parse, links lead on."""

import doctest
import re
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml
from starlette.routing import Match

from blocks.calendars.files import read
from blocks.shopfile import load
from deployments.cli import app
from deployments.reference.api import application
from domain.calendar.settings import KINDS
from tests.docs.reading import (
    CHINESE,
    DOCS,
    MADE,
    PAGES,
    ROOT,
    WRITTEN,
    Block,
    anchors,
    blocks,
    commands,
    lines,
    links,
    mentioned,
)

SAMPLE = ROOT / "examples" / "shop" / "shop.yaml"
GATEWAY = "releases.example.com"
"""The host that stands for the reader's own gateway."""
SHELLS = ("console", "sh", "bash")
OTHERS = {
    "age-keygen", "cd", "chmod", "cp", "curl", "docker", "echo", "export", "git", "jq", "mkdir",
    "openssl", "printf", "sops", "sort", "ssh-keygen", "uniq",
}  # fmt: skip
"""Programs of others that the documentation calls."""
TRADEWIND: Any = typer.main.get_command(app)
ROUTES = tuple(application().routes)
SETTINGS = yaml.safe_load(SAMPLE.read_text())


def every(*languages: str) -> list[Any]:
    """Those of the English pages: the Chinese ones have the same, which another test proves."""
    pages = [page for page in WRITTEN if CHINESE not in page.parents]
    found = [one for page in pages for one in blocks(page) if one.language in languages]
    return [pytest.param(one, id=str(one)) for one in found]


def merged(settings: Any, more: Any) -> Any:
    """Mappings are merged, everything else is replaced."""
    if not isinstance(settings, Mapping) or not isinstance(more, Mapping):
        return more
    return {**settings, **{name: merged(settings.get(name), one) for name, one in more.items()}}


def fragment(block: Block) -> Any:
    """Where the comment before it says which part of shop.yaml it is: within that part."""
    place = block.marked.partition(":")[2].strip()
    found = yaml.safe_load(block.text)
    for name in reversed(place.split(".") if place else []):
        found = {name: found}
    return found


@pytest.mark.parametrize("block", every("yaml"))
def test_settings_go_with_the_sample_shop(block: Block, tmp_path: Path) -> None:
    """Unmarked they are shop.yaml's; another file is named in a comment before the block."""
    name = block.marked.partition(":")[0] or "shop.yaml"
    place = tmp_path / name
    place.write_text(block.text)
    if name == "shop.yaml":
        place.write_text(yaml.safe_dump(merged(SETTINGS, fragment(block))))
        assert load(place).shop == "sample-shop"
    elif name == "promotions.yaml":
        channels = SETTINGS["environments"]["production"]["channels"]
        assert read(place, (2026, 2027), {*channels, *KINDS})
    else:
        assert yaml.safe_load(block.text), f"{name} is not Tradewind's: it has to be YAML"


@pytest.mark.parametrize("block", every(*SHELLS))
def test_commands_are_known(block: Block) -> None:
    wrong = [line for line in lines(block) for words in commands(line) if not known(words)]

    assert [*lines(block)], f"{block}: no line begins with $"
    assert wrong == []


def known(words: list[str]) -> bool:
    """The program is one we know, and its options, targets or addresses are right."""
    program, *rest = words
    match Path(program).name:
        case "tradewind":
            return parses(TRADEWIND, rest)
        case "make":
            return all(target in targets() or "=" in target for target in rest)
        case "python":
            return rest[0] == "-m" and find_spec(rest[1]) is not None
        case "curl":
            return all(answered(one, rest) for one in rest if one.startswith("http"))
        case name:
            return name in OTHERS


def parses(command: Any, words: list[str]) -> bool:
    """As the command line itself reads them, without running anything."""
    try:
        context = command.make_context(command.name or "tradewind", list(words))
    except Exception as error:
        pytest.fail(f"tradewind … {' '.join(words)}: {getattr(error, 'message', error)}")
    rest = [*context._protected_args, *context.args]
    if not rest:
        return True
    _, below, more = command.resolve_command(context, rest)
    return parses(below, more)


def targets() -> set[str]:
    made = re.findall(r"^([\w./$()-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {one.replace("$(READY)", ".venv/ready") for one in made}


def answered(address: str, words: list[str]) -> bool:
    """Whether the gateway has such a route; addresses of others are not looked at."""
    url = urlsplit(address)
    if url.hostname != GATEWAY:
        return True
    sent = "POST" if {"-d", "--data"} & set(words) else "GET"
    method = words[words.index("-X") + 1] if "-X" in words else sent
    scope = {"type": "http", "path": url.path, "method": method}
    return any(one.matches(scope)[0] is Match.FULL for one in ROUTES)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_within_a_sentence_exists(page: Path) -> None:
    wrong = [one for one in mentioned(page) if not exists(TRADEWIND, one)]

    assert wrong == []


def exists(command: Any, line: str) -> bool:
    """The command and the options that stand there; a sentence may leave others out."""
    words = line.split()[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if getattr(command, "commands", {}) and words and not words[0].startswith("-"):
        return False
    known_here = {name for one in command.params for name in one.opts} | {"--help"}
    return {one.partition("=")[0] for one in words if re.match("--?[a-z]", one)} <= known_here


@pytest.mark.parametrize("block", every("python"))
def test_python_answers_as_it_is_shown(block: Block) -> None:
    told = doctest.DocTestParser().get_doctest(block.text, {}, str(block), None, block.line)

    ended = doctest.DocTestRunner().run(told)

    assert (ended.failed, ended.attempted > 0) == (0, True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    wrong = [one for one in links(page) if "://" not in one and not leads(page, one)]

    assert wrong == []


def leads(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    place = (page.parent / name).resolve() if name else page
    return place.exists() and (not anchor or anchor in anchors(place))


def test_every_page_is_on_the_map() -> None:
    inside = [one for one in DOCS.rglob("*.md") if (DOCS / "zh-CN") not in one.parents]
    leading = {(DOCS / one).resolve() for one in links(DOCS / "index.md")}
    decisions = DOCS / "decisions"

    missing = [
        str(one.relative_to(DOCS))
        for one in inside
        if one != DOCS / "index.md" and one not in leading and decisions not in one.parents
    ]

    assert missing == []
    assert decisions in leading


def test_programs_of_others_are_all_in_use() -> None:
    used = {
        Path(words[0]).name
        for param in every(*SHELLS)
        for line in lines(param.values[0])
        for words in commands(line)
    }

    assert used >= OTHERS
    assert MADE.is_dir()
    assert shutil.which("git")
