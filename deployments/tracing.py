"""Commands about one version: what happened to it, why it failed, a stage of it again."""

from typing import Annotated

import typer

from deployments.terminal import By, Json, actions, ended, live, shown


def trace(version: str, as_json: Json = False) -> None:
    """Everything about a version: commit, people, evidence, hosts, checks, errors, route."""
    shop = live()
    from deployments.trace_view import show_trace
    from tasks.trace import trace as traced

    found = traced(shop, version)
    if as_json:
        shown(found, as_json)
    else:
        show_trace(found)


def why(version: str, as_json: Json = False) -> None:
    """Why a version failed: stage, cause, evidence, and the first three things to do."""
    shop = live()
    from dataclasses import asdict

    from deployments.trace_view import show_failure
    from tasks.failure import explanation_of

    found = explanation_of(shop, version)
    if as_json:
        shown(asdict(found), as_json)
    else:
        show_failure(found)


def replay(
    version: str,
    stage: Annotated[str, typer.Option("--from", help="test, build, start or smoke.")],
    by: By,
    service: Annotated[str, typer.Option(help="Empty: those of the release.")] = "",
    as_json: Json = False,
) -> None:
    """Run one stage of a version again where no customer is; nothing is switched."""
    request = {"version": version, "stage": stage, "service": service, "requested_by": by}
    ended(actions().replay(request), as_json)
