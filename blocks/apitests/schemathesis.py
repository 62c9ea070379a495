"""Schemathesis: requests made from an OpenAPI document, its versions locked beside this file."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from defusedxml import ElementTree

from blocks.apitests.running import REQUEST_SECONDS, Call, Target, problem, ran, room
from blocks.environments import Environments
from blocks.redaction import redacted
from domain.apitests.results import Failure, Result, kept
from domain.apitests.settings import OpenApi

LOCK = Path(__file__).parent / "schemathesis.lock"
FOUND_SOMETHING = (0, 1)
"""Exit codes of a run that came to its end; others are the runner's own trouble."""
_EXPECTATION = re.compile(r"^- (?:ST\d+ )?(.+)$", re.MULTILINE)
_ANSWER = re.compile(r"^(\[\d{3}\][^\n]*)\n(.*?)(?=^Reproduce with:|\Z)", re.MULTILINE | re.DOTALL)
_REQUEST = re.compile(r"curl -X (\S+).*?https?://[^/\s']+([^\s']*)", re.DOTALL)


class Schemathesis:
    """Installed once per lock, in an environment of its own."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments

    def install(self) -> Path:
        """Where it is; Failed when it cannot be had."""
        return self._environments.site(LOCK)

    def tried(self, declared: OpenApi, target: Target, headers: Mapping[str, str]) -> Result:
        """The document's result; ``headers`` are resolved, and only in the child's environment."""
        with room() as own:
            settings, secrets = _settings(declared, headers)
            (own / "schemathesis.toml").write_text(settings)
            environment = {**secrets, "PYTHONPATH": str(self.install())}
            command = _command(declared, target, own)
            done = ran(Call(command, declared.timeout_seconds, own, environment), own)
            said = problem(done, own / "report.json", declared.timeout_seconds)
            if not said and done.exit_code not in FOUND_SOMETHING:
                said = f"ended with exit code {done.exit_code}: {done.tail[-500:].strip()}"
            found = _found(own) if not said else {"problem": redacted(said)}
        name = Path(declared.at).name
        return Result("schemathesis", name, seconds=round(done.seconds, 3), **found)


def _settings(declared: OpenApi, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Its file, and the variables in which it finds the values."""
    names = {name: f"TRADEWIND_HEADER_{number}" for number, name in enumerate(headers)}
    lines = ["[headers]", *(f'{json.dumps(name)} = "${{{names[name]}}}"' for name in headers)]
    if "unsupported_method" not in declared.checks:
        lines += ["[phases.coverage]", "unexpected-methods = []"]
    return "\n".join((*lines, "")), {names[name]: headers[name] for name in headers}


def _command(declared: OpenApi, target: Target, own: Path) -> list[str]:
    on_the_service = declared.at.startswith("/")
    where = target.address + declared.at if on_the_service else str(target.source / declared.at)
    excluded = [word for path in declared.exclude for word in ("--exclude-path", path)]
    return [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(own / "schemathesis.toml"),
        "run", where, "--url", target.address, "--no-color", "--warnings", "off",
        "--phases", ",".join(declared.phases), "--checks", ",".join(declared.checks),
        "--max-examples", str(declared.max_examples), "--seed", str(declared.seed),
        "--generation-database", "none", "--request-timeout", str(REQUEST_SECONDS),
        "--report", "json,junit", "--report-json-path", str(own / "report.json"),
        "--report-junit-path", str(own / "junit.xml"), *excluded,
        *(["--include-method", "GET"] if target.reading else []),
    ]  # fmt: skip


def _found(own: Path) -> dict[str, Any]:
    report = json.loads((own / "report.json").read_text())
    return counted(report, (own / "junit.xml").read_text())


def counted(report: Mapping[str, Any], junit: str) -> dict[str, Any]:
    """What its reports say, as fields of a Result."""
    cases, errors = report["test_cases"], report["errors"]
    failures = tuple(_failures(junit))
    return {
        "requests": cases["generated"],
        "total": cases["generated"],
        "failed": max(len(failures), cases["with_failures"]) + len(errors),
        "skipped": report["operations"]["skipped"],
        "failures": kept([*failures, *map(_broken, errors)]),
    }


def _failures(junit: str) -> Iterator[Failure]:
    for case in ElementTree.fromstring(junit, forbid_dtd=True).iter("testcase"):
        for failure in case.iter("failure"):
            yield _failure(case.get("name", ""), redacted(failure.text or ""))


def _failure(operation: str, text: str) -> Failure:
    request, answer = _REQUEST.search(text), _ANSWER.search(text)
    before = text[: answer.start()] if answer else text
    broken = [f"{one.group(1)}{_why(before[one.end() :])}" for one in _EXPECTATION.finditer(before)]
    return Failure(
        f"{request.group(1)} {request.group(2)}" if request else operation,
        "; ".join(broken) or "unexpected answer",
        " ".join(answer.groups()).replace("`", "") if answer else "",
    )


def _why(text: str) -> str:
    """The first paragraph below an expectation, where there is one."""
    first = text.strip("\n").partition("\n\n")[0]
    return f" ({' '.join(first.split())})" if first.startswith("    ") else ""


def _broken(error: Mapping[str, Any]) -> Failure:
    told = redacted(str(error.get("message") or error.get("title") or error))
    return Failure(str(error.get("operation") or "the document"), told)
