"""What a reference is, and where its value may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from domain.errors import BadInput


@dataclass(frozen=True)
class Reference:
    """As it stands in shop.yaml: ``${kind:name}``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"${{{self.kind}:{self.name}}}"

    def halves(self) -> tuple[str, str]:
        """Before and after ``#``; BadInput when either is missing."""
        where, _, what = self.name.partition("#")
        if not where or not what:
            raise BadInput(f"{self} names no place and key: {self.kind}:WHERE#KEY is needed")
        return where, what


@dataclass(frozen=True)
class Places:
    """``folder`` has files, ``beside`` sealed ones; ``age_identity()`` opens these ("": none)."""

    folder: Path
    beside: Path
    environment: Mapping[str, str] = field(repr=False)
    age_identity: Callable[[], str]
