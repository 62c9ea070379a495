"""API tests as a gate: a healthy candidate passes them before it gets anybody."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext

from blocks.apitests.newman import Newman
from blocks.apitests.relay import METHODS, READING, Relay, relayed
from blocks.apitests.running import Target
from blocks.apitests.schemathesis import Schemathesis
from blocks.shop import Live
from domain.apitests.page import page
from domain.apitests.results import Result, blamed, reasons, said
from domain.apitests.settings import ApiTests
from domain.errors import BadInput, BadRelease, Failed, Refused, Unavailable
from domain.plan import Change
from tasks.deployment import Deploying
from tasks.retries import STEP

ARTIFACT = "api-tests"


def test_apis(under_way: Deploying) -> None:
    """Every changed web service that declares API tests, in turn."""
    for change in under_way.plan.web:
        if not suite_of(under_way, change).empty:
            test_api(under_way, change)


def suite_of(under_way: Deploying, change: Change) -> ApiTests:
    """What is run here; nothing on a way back, whose versions have passed before."""
    declared = under_way.live.service(change.service).api
    if declared is None or under_way.row.kind != "release":
        return ApiTests()
    return declared.allowed(last=under_way.environment == under_way.live.shop.route[-1])


@task(task_run_name="api tests of {change.service} {change.after.version}", **STEP)
def test_api(under_way: Deploying, change: Change) -> None:
    """Raises BadRelease with the requests and expectations; Failed where there is no result."""
    found = under_way.step(f"api tests {change.service}", lambda: _tested(under_way, change))
    if found["against"]:
        kind = BadRelease if found["blamed"] else Failed
        raise kind(f"api tests of {change.service}: {'; '.join(found['against'])}")


def _tested(under_way: Deploying, change: Change) -> Mapping[str, Any]:
    """On the first host: the candidate is the same on all of them."""
    suite, live, commit = suite_of(under_way, change), under_way.live, under_way.manifest.commit
    last = under_way.environment == live.shop.route[-1]
    host, version = under_way.hosts[0], change.after.version
    with (
        live.exported(commit, _paths(live, change.service, suite)) as source,
        relayed(host, change.service, version, READING if last else METHODS) as relay,
    ):
        results = tuple(_results(live, suite, Target(relay.address, source, reading=last)))
    _answered(relay)
    _show(f"{change.service} {version} in {under_way.environment}", results)
    return {
        "results": [asdict(one) for one in results],
        "reasons": [said(one) for one in results],
        "against": list(reasons(results)),
        "blamed": blamed(results),
    }


def _results(live: Live, suite: ApiTests, target: Target) -> Iterator[Result]:
    for one in suite.postman:
        yield newman_of(live).tried(one, target, _resolved(live, one.variables))
    if suite.openapi:
        headers = _resolved(live, suite.openapi.headers)
        yield schemathesis_of(live).tried(suite.openapi, target, headers)


def _answered(relay: Relay) -> None:
    """Results that a silent host had a part in say nothing of the release: they are had anew."""
    if relay.away:
        raise Unavailable(relay.away)


def _resolved(live: Live, declared: Mapping[str, str]) -> dict[str, str]:
    return {name: live.reference(value) for name, value in declared.items()}


def _paths(live: Live, service: str, suite: ApiTests) -> tuple[str, ...]:
    return (*live.service(service).paths, *suite.files)


def _show(what: str, results: tuple[Result, ...]) -> None:
    if FlowRunContext.get() is not None:
        create_markdown_artifact(page(what, results), key=ARTIFACT, description=what)


def newman_of(live: Live) -> Newman:
    return Newman(live.state / "tools")


def schemathesis_of(live: Live) -> Schemathesis:
    return Schemathesis(live.environments)


def ready_to_test(under_way: Deploying) -> None:
    """The runners are installed, the commit has what they run; else Refused, nothing changed."""
    suites = {
        change.service: suite
        for change in under_way.plan.web
        if not (suite := suite_of(under_way, change)).empty
    }
    against = tuple(
        objection
        for service, suite in suites.items()
        for objection in lacking(under_way.live, service, suite, under_way.manifest.commit)
    )
    if against:
        raise Refused(*against)
    _install(under_way.live, suites)


def lacking(live: Live, service: str, suite: ApiTests, commit: str) -> Iterator[str]:
    """What this machine or the commit does not have of what a service's suite takes."""
    missing = newman_of(live).missing() if suite.postman else ()
    if missing:
        yield (
            f"services.{service}.api.postman needs {' and '.join(missing)} on this machine:"
            " not found beside Tradewind's Python nor on PATH"
        )
    try:
        with live.exported(commit, suite.files or live.service(service).paths) as source:
            yield from _no_files(source, service, suite)
    except BadInput as error:
        yield f"services.{service}.api: {error}"


def _no_files(source: Path, service: str, suite: ApiTests) -> Iterator[str]:
    for path in suite.files:
        if not (source / path).is_file():
            yield f"services.{service}.api has the path {path!r}: it is no file in the commit"


def _install(live: Live, suites: Mapping[str, ApiTests]) -> None:
    if any(suite.postman for suite in suites.values()):
        newman_of(live).install()
    if any(suite.openapi for suite in suites.values()):
        schemathesis_of(live).install()
