"""What a runner found, whichever it was: counted, and the first failures in a person's words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KEPT_FAILURES = 10
MOST_ANSWER = 300
MOST_WORDS = 500


@dataclass(frozen=True)
class Failure:
    """One expectation that was not met: of which request, and the beginning of its answer."""

    request: str
    expectation: str
    answer: str = ""


@dataclass(frozen=True)
class Result:
    """One runner's run; ``problem`` says why it came to no result, "" when it did.

    ``total``, ``failed`` and ``skipped`` count checks: Newman's assertions, schemathesis's cases.
    """

    runner: str
    name: str
    requests: int = 0
    total: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.problem and not self.failed and self.total > 0


def kept(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """The first ones, each short enough to be read."""
    return tuple(
        Failure(
            shortened(one.request, MOST_WORDS),
            shortened(one.expectation, MOST_WORDS),
            shortened(one.answer, MOST_ANSWER),
        )
        for one in failures[:KEPT_FAILURES]
    )


def shortened(text: str, most: int) -> str:
    r"""One line of at most ``most`` characters.

    >>> shortened("500\n Internal  Server Error", 12)
    '500 Interna…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def said(result: Result) -> str:
    """
    >>> said(Result("newman", "checkout", requests=42, total=57, failed=3))
    'newman checkout: 42 requests, 3 of 57 checks failed'
    """
    if result.problem:
        return f"{result.runner} {result.name}: {result.problem}"
    if not result.total:
        return f"{result.runner} {result.name}: no tests run"
    skipped = f", {result.skipped} skipped" if result.skipped else ""
    return (
        f"{result.runner} {result.name}: {result.requests} requests,"
        f" {result.failed} of {result.total} checks failed{skipped}"
    )


def reasons(results: Sequence[Result]) -> tuple[str, ...]:
    """Why the candidate may not go on, each with the request and the expectation; () if it may."""
    return tuple(_reasons(results))


def _reasons(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        if result.passed:
            continue
        first = result.failures[0] if result.failures else None
        yield said(result) + (f"; {first.request}: {first.expectation}" if first else "")


def blamed(results: Sequence[Result]) -> bool:
    """Whether the release itself is at fault, and not only a runner that came to no result."""
    return any(result.failed for result in results)
