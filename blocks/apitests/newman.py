"""Newman: Postman collections against a candidate, its versions locked beside this file."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from blocks.apitests.running import (
    REQUEST_SECONDS,
    Call,
    Target,
    problem,
    program,
    put_in_place,
    ran,
    room,
)
from blocks.commands import run
from blocks.redaction import redacted
from domain.apitests.results import MOST_ANSWER, Failure, Result, kept
from domain.apitests.settings import Collection
from domain.errors import BadInput, Failed

LOCK = Path(__file__).parent / "newman"
FILES = ("package.json", "package-lock.json")
START = Path("node_modules/newman/bin/newman.js")
INSTALL_SECONDS = 600.0
NEEDED = ("node", "npm")


class Newman:
    """Installed once per lock, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def missing(self) -> tuple[str, ...]:
        """Programs it takes that are not on this machine."""
        return tuple(name for name in NEEDED if not program(name))

    def install(self) -> Path:
        """Where it is; Failed when it cannot be had."""
        content = b"".join((LOCK / name).read_bytes() for name in FILES)
        place = self._folder / f"newman-{sha256(content).hexdigest()[:24]}"
        if not place.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._fetch(place)
        return place

    def _fetch(self, place: Path) -> None:
        fresh = Path(tempfile.mkdtemp(prefix="incomplete-", dir=self._folder))
        try:
            for name in FILES:
                shutil.copy(LOCK / name, fresh)
            done = run(_npm(), place.with_suffix(".log"), INSTALL_SECONDS, fresh, os.environ)
            if done.exit_code != 0:
                raise Failed(f"installing newman failed: {done.tail[-2000:]}")
            put_in_place(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def tried(self, declared: Collection, target: Target, variables: Mapping[str, str]) -> Result:
        """The collection's result; ``variables`` are resolved, and only in a file of its own."""
        with room() as own:
            report, values = own / "report.json", own / "environment.json"
            values.write_text(json.dumps(_values(declared, target, variables)))
            command = _command(self.install(), declared, target, values, report)
            done = ran(Call(command, declared.timeout_seconds, target.source), own)
            result = Result("newman", Path(declared.path).name.partition(".")[0])
            said = problem(done, report, declared.timeout_seconds)
            found = counted(json.loads(report.read_text())) if not said else {"problem": said}
        return Result(result.runner, result.name, seconds=round(done.seconds, 3), **found)


def _npm() -> list[str]:
    return [
        program("npm"), "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund",
        "--prefer-offline", "--no-update-notifier",
    ]  # fmt: skip


def _command(
    place: Path, declared: Collection, target: Target, values: Path, report: Path
) -> list[str]:
    return [
        program("node"), str(place / START), "run", str(target.source / declared.path),
        "--environment", str(values), "--working-dir", str(target.source),
        "--no-insecure-file-read", "--reporters", "json", "--reporter-json-export", str(report),
        "--timeout-request", str(REQUEST_SECONDS * 1000), "--color", "off",
        *(["--bail"] if declared.bail else []),
    ]  # fmt: skip


def _values(declared: Collection, target: Target, variables: Mapping[str, str]) -> dict[str, Any]:
    """A Postman environment: the declared file's values, ours over them."""
    values: dict[str, str] = {}
    if declared.environment:
        values = _read_values(target.source / declared.environment)
    both = {**values, **variables, "baseUrl": target.address}
    listed = [{"key": key, "value": value, "enabled": True} for key, value in both.items()]
    return {"name": "Tradewind", "values": listed}


def _read_values(path: Path) -> dict[str, str]:
    try:
        listed = json.loads(path.read_text())["values"]
        return {one["key"]: one["value"] for one in listed if one.get("enabled", True)}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path.name} is no Postman environment: {error}") from error


def counted(report: Mapping[str, Any]) -> dict[str, Any]:
    """What Newman's JSON report says, as fields of a Result."""
    told = report["run"]
    stats, failures = told["stats"], told["failures"]
    answers = {
        one["cursor"]["ref"]: one for one in told["executions"] if "ref" in one.get("cursor", {})
    }
    return {
        "requests": stats["requests"]["total"],
        "total": stats["assertions"]["total"],
        "failed": len(failures),
        "skipped": sum(bool(a.get("skipped")) for one in answers.values() for a in _asserted(one)),
        "failures": kept([_failure(one, answers) for one in failures]),
    }


def _asserted(execution: Mapping[str, Any]) -> list[dict[str, Any]]:
    return execution.get("assertions") or []


def _failure(failure: Mapping[str, Any], answers: Mapping[str, Any]) -> Failure:
    """Newman puts a whole execution beside each failure; its cursor says which one."""
    error, item = failure.get("error", {}), failure.get("source") or {}
    execution = answers.get((failure.get("cursor") or {}).get("ref", ""), {})
    expectation = ": ".join(filter(None, (error.get("test"), error.get("message"))))
    where = f"{item.get('name', failure.get('at', 'a script'))} {_request(execution)}".strip()
    return Failure(redacted(where), redacted(expectation), redacted(_answer(execution)))


def _request(execution: Mapping[str, Any]) -> str:
    request = execution.get("request") or {}
    url = request.get("url") or {}
    path = "/" + "/".join(map(str, url.get("path") or ())) if url else ""
    return f"({request.get('method', '')} {path})" if request else ""


def _answer(execution: Mapping[str, Any]) -> str:
    response = execution.get("response")
    if not response:
        return ""
    body = bytes(response.get("stream", {}).get("data", ())[: 4 * MOST_ANSWER])
    return f"{response.get('code')} {response.get('status', '')}: {body.decode(errors='replace')}"
