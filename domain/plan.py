"""From what serves to what should serve: the whole plan of a deployment, and every objection."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.manifest import Manifest
from domain.version import newer


@dataclass(frozen=True)
class Serving:
    """What one service runs as in an environment: the unit's version and its digest."""

    version: str
    digest: str


@dataclass(frozen=True)
class Change:
    """One service that moves; ``before`` is None where nothing served yet."""

    service: str
    kind: str
    before: Serving | None
    after: Serving


@dataclass(frozen=True)
class Plan:
    """Everything a deployment will change, web services first: customers before background work."""

    version: str
    environment: str
    changes: tuple[Change, ...]

    @property
    def web(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind == "web")

    @property
    def background(self) -> tuple[Change, ...]:
        """Workers and jobs."""
        return tuple(change for change in self.changes if change.kind != "web")


def plan(manifest: Manifest, environment: str, serving: Mapping[str, Serving]) -> Plan:
    """Only services whose digest differs from what serves are moved."""
    changes = tuple(
        Change(
            part.service, part.kind, serving.get(part.service), Serving(part.version, part.digest)
        )
        for part in manifest.parts
        if part.service not in serving or serving[part.service].digest != part.digest
    )
    return Plan(
        manifest.version, environment, tuple(sorted(changes, key=lambda c: c.kind != "web"))
    )


def overtaking(version: str, passed: str | None, environment: str) -> tuple[str, ...]:
    """A newer release that has passed is never overtaken by an older one."""
    if passed is None or not newer(passed, version):
        return ()
    return (f"{version} would overtake {passed}, which already passed in {environment}",)


def quarantined(manifest: Manifest, bad: Mapping[str, str]) -> tuple[str, ...]:
    """``bad`` maps a digest to why: the same code under a new number stays out."""
    return tuple(
        f"{part.service} {part.digest[:19]} is quarantined: {bad[part.digest]}"
        for part in manifest.parts
        if part.digest in bad
    )
