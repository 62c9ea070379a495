"""What an error tracker is told of a release, and what it tells of the errors in one."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Commit:
    """One commit of a release, as git has it."""

    id: str
    message: str
    author_name: str
    author_email: str
    at: datetime


@dataclass(frozen=True)
class Cut:
    """A release of ``projects``: its commits since what served before, newest first.

    ``url`` is where people see it in Tradewind; "" where they cannot.
    """

    name: str
    projects: tuple[str, ...]
    repository: str
    commits: tuple[Commit, ...]
    url: str = ""


@dataclass(frozen=True)
class Deploy:
    """A release that serves in an environment."""

    name: str
    projects: tuple[str, ...]
    environment: str
    begun_at: datetime
    ended_at: datetime
    url: str = ""


@dataclass(frozen=True)
class Arm:
    """One release of one project in one environment, from a moment on."""

    project: str
    name: str
    environment: str
    since: datetime


@dataclass(frozen=True)
class Issue:
    """A kind of error, with its page; ``events`` are those of one arm."""

    id: str
    title: str
    link: str
    events: int
