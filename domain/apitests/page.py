"""The results of a service's API tests, as a person reads them, in Markdown."""

from collections.abc import Iterator, Sequence

from domain.apitests.results import Failure, Result
from domain.markdown import code, plain


def page(what: str, results: Sequence[Result]) -> str:
    """A table of the runners, then the first failures of each; ``what`` was tried."""
    return "\n".join(_lines(what, results))


def _lines(what: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"# API tests of {plain(what)}"
    yield ""
    yield "| Runner | What | Requests | Checks | Failed | Skipped | Took | |"
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for one in results:
        yield (
            f"| {one.runner} | {plain(one.name)} | {one.requests} | {one.total} | {one.failed} |"
            f" {one.skipped} | {one.seconds:.1f} s | {_verdict(one)} |"
        )
    for one in results:
        yield from _failures(one)


def _verdict(result: Result) -> str:
    if result.passed:
        return "✓ passed"
    return f"✗ {plain(result.problem or ('failed' if result.total else 'no tests run'))}"


def _failures(result: Result) -> Iterator[str]:
    if not result.failures:
        return
    yield ""
    yield f"## {result.runner} {plain(result.name)}"
    yield ""
    for one in result.failures:
        yield from _failure(one)
    if result.failed > len(result.failures):
        yield f"- … {len(result.failures)} of {result.failed} are shown"


def _failure(failure: Failure) -> Iterator[str]:
    yield f"- {code(failure.request)}: **{plain(failure.expectation)}**"
    if failure.answer:
        yield f"  answered {code(failure.answer)}"
