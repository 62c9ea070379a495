"""How a reference page is put together: its head, its tables, and docstrings as Markdown."""

import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path

from domain.markdown import code

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "reference"
SAMPLE = ROOT / "examples" / "shop" / "shop.yaml"


def page(title: str, said: str, parts: Iterable[str]) -> str:
    """A title, who made the page, a sentence or two, and the parts, a blank line between."""
    made = "<!-- Made from the code by `python -m deployments.reference`; do not edit. -->"
    return "\n\n".join((f"# {title}", made, said, *(part for part in parts if part))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Nothing for no rows; cells are Markdown already."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def described(documented: object) -> str:
    """A docstring of its own as Markdown; "" where there is none."""
    own = vars(documented).get("__doc__") if isinstance(documented, type) else None
    text = own if isinstance(documented, type) else inspect.getdoc(documented)
    generated = isinstance(documented, type) and (own or "").startswith(f"{documented.__name__}(")
    return "" if generated else inspect.cleandoc(text or "").replace("``", "`")


def shown(value: object) -> str:
    """A value as it stands in YAML; an empty one says so.

    >>> shown(True), shown(86400.0), shown(("a", "b")), shown("")
    ('`true`', '`86400`', '`[a, b]`', 'empty')
    """
    if value is None:
        return "none"
    if value in ("", (), {}):
        return "empty"
    return code(_written(value))


def _written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case tuple() | list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return str(value)
