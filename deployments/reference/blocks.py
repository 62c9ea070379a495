"""Prefect blocks as the UI shows them, and the outside systems that ``blocks/`` knows."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefect.blocks.core import Block

from blocks.channels.accounts import ACCOUNTS
from blocks.shop import ShopBlock
from deployments.reference.page import ROOT, page, shown, table

SAID = (
    "`tradewind apply` declares one block for the shop and one for each account on a marketplace."
    " They hold references, never a secret; `shop.yaml` is where they are changed."
)
DECLARED: tuple[type[Block], ...] = (ShopBlock, *ACCOUNTS.values())


def blocks() -> str:
    """The declared blocks with their fields, then the modules with their first sentence."""
    return page("Blocks", SAID, (*map(_declared, DECLARED), _systems()))


def _declared(kind: type[Block]) -> str:
    rows = [
        (f"`{name}`", one.title or "", shown(one.default))
        for name, one in kind.model_fields.items()
    ]
    said = f"{kind._description}\n\nSlug: `{kind._block_type_slug}`."
    return f"## {kind._block_type_name}\n\n{said}\n\n{table(('Field', 'What', 'Default'), rows)}"


def _systems() -> str:
    """One outside system each."""
    said = "## What is behind them\n\nEach module of `blocks/` speaks to one outside system."
    return f"{said}\n\n{table(('Module', 'What it is for'), _modules(ROOT / 'blocks'))}"


def _modules(folder: Path) -> Iterator[tuple[str, str]]:
    for place in sorted(folder.iterdir()):
        file = place / "__init__.py" if place.is_dir() else place
        if file.suffix == ".py" and file.is_file() and file.parent / "__init__.py" != file:
            yield _row(place.stem, file)
        elif place.is_dir() and file.is_file():
            yield _row(f"{place.name}/", file)


def _row(name: str, file: Path) -> tuple[str, str]:
    tree: Any = ast.parse(file.read_text())
    first = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    return f"`{name}`", " ".join(first.split()).replace("``", "`").replace("|", "\\|")
