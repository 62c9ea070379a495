"""What a release consists of: commit, artifact per service, configuration, migrations, evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """One service in a release; ``version`` is the release that first carried this digest.

    ``reference`` is where a container's image is pulled from, "" where it is sent.
    """

    service: str
    kind: str
    digest: str
    version: str
    evidence: str
    reference: str = ""


@dataclass(frozen=True)
class Manifest:
    """Immutable once recorded: its digest is what approvals and deployments are bound to."""

    version: str
    commit: str
    configuration: str
    migrations: str
    parts: tuple[Part, ...]

    def part(self, service: str) -> Part | None:
        return next((part for part in self.parts if part.service == service), None)


def to_record(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON-ready values, as the ledger keeps it."""
    return {
        "version": manifest.version,
        "commit": manifest.commit,
        "configuration": manifest.configuration,
        "migrations": manifest.migrations,
        "parts": [vars(part) for part in manifest.parts],
    }


def from_record(record: Mapping[str, Any]) -> Manifest:
    """The inverse of ``to_record``."""
    parts = tuple(Part(**part) for part in record["parts"])
    return Manifest(**{**record, "parts": parts})
