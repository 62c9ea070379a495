"""The ledger at one moment, as far as the dashboard shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.journal import Approval, Deployment, Release


@dataclass(frozen=True)
class Running:
    """A service where it serves, and since when."""

    environment: str
    service: str
    version: str
    digest: str
    since: datetime


@dataclass(frozen=True)
class Waiting:
    """An approval that somebody can still give, and the deployment that waits for it."""

    approval: Approval
    deployment: Deployment


@dataclass(frozen=True)
class Facts:
    """``deployments`` and ``releases`` are the newest first: all of some days, and unfinished ones.

    Of every environment the last deployment is among them. ``diverged`` says by environment how
    many SKUs and orders differ from a channel, ``suspected`` which (environment, version) is
    suspected of some of it.
    """

    now: datetime
    running: Sequence[Running] = ()
    deployments: Sequence[Deployment] = ()
    releases: Sequence[Release] = ()
    waiting: Sequence[Waiting] = ()
    diverged: Mapping[str, int] = field(default_factory=dict)
    suspected: frozenset[tuple[str, str]] = frozenset()

    def serving(self, environment: str) -> dict[str, Running]:
        """By service."""
        return {one.service: one for one in self.running if one.environment == environment}

    def last(self, environment: str) -> Deployment | None:
        """The newest deployment there, however it ended."""
        return next((one for one in self.deployments if one.environment == environment), None)

    def of_version(self, version: str) -> dict[str, Deployment]:
        """By environment the newest deployment of a version."""
        found = [one for one in self.deployments if one.version == version]
        return {one.environment: one for one in reversed(found)}

    def only(self, environments: Sequence[str]) -> "Facts":
        """What somebody sees who may look at these environments alone.

        How a release ended is told to those who see all of its way.
        """
        seen = {*environments}
        return Facts(
            self.now,
            tuple(one for one in self.running if one.environment in environments),
            tuple(one for one in self.deployments if one.environment in environments),
            tuple(
                one if seen.issuperset(one.route) else replace(one, outcome="")
                for one in self.releases
                if seen & {*one.route}
            ),
            tuple(one for one in self.waiting if one.deployment.environment in environments),
            {name: rows for name, rows in self.diverged.items() if name in seen},
            frozenset(one for one in self.suspected if one[0] in seen),
        )
