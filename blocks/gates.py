"""A service's own tests in its own environment: run, bounded, and their reports read."""

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blocks.commands import python, run
from domain.errors import Failed
from domain.evidence import Counted, Ended, Evidence, failings
from domain.shop import Gate


@dataclass(frozen=True)
class GateRun:
    """What to test: the exported source, the installed requirements, and where reports go."""

    service: str
    gate: Gate
    source: Path
    site: Path
    source_digest: str
    requirements_digest: str
    environment: Mapping[str, str]
    reports: Path
    pytest: str = ""
    """Further options of pytest's."""


def run_gate(gate_run: GateRun) -> Evidence:
    """Runs the declared command; a hung one ends with its whole process group."""
    gate, reports = gate_run.gate, gate_run.reports
    reports.mkdir(parents=True, exist_ok=True)
    ran = run(
        python(gate.command),
        reports / "output.log",
        gate.timeout_seconds,
        gate_run.source,
        _environment(gate_run),
    )
    counted, ended = _counted(reports), Ended(ran.exit_code, round(ran.seconds, 3))
    return Evidence(
        gate_run.service,
        gate_run.source_digest,
        gate_run.requirements_digest,
        counted,
        ended,
        failings(gate, counted, ended),
        ran.tail[-4000:],
    )


def _environment(gate_run: GateRun) -> dict[str, str]:
    """Nothing of ours but a path and a home; reports are asked for by pytest's own variable."""
    reports = gate_run.reports
    asked = f"--junitxml={reports / 'junit.xml'} -p no:cacheprovider {gate_run.pytest}"
    if gate_run.gate.min_coverage_percent:
        asked += f" --cov-report=json:{reports / 'coverage.json'}"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(reports),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join((str(gate_run.source), str(gate_run.site))),
        "PYTEST_ADDOPTS": asked,
        "COVERAGE_FILE": str(reports / "coverage.data"),
        **gate_run.environment,
    }


def _counted(reports: Path) -> Counted:
    junit, coverage = reports / "junit.xml", reports / "coverage.json"
    if not junit.exists():
        return Counted()
    percent = None
    if coverage.exists():
        percent = float(json.loads(coverage.read_text())["totals"]["percent_covered"])
    suites = _suites(junit)
    names = ("tests", "failures", "errors", "skipped")
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in names
    )
    return Counted(tests, failures, errors, skipped, percent)


def _suites(junit: Path) -> list[ET.Element]:
    text = junit.read_text(errors="replace")
    if "<!DOCTYPE" in text:  # entities could grow without bound; JUnit's reports have none
        raise Failed(f"{junit.name} declares a document type: refused")
    return list(ET.fromstring(text).iter("testsuite"))  # noqa: S314 no document type, so no entity
