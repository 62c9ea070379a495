"""``make bench``: each measure beside the plain way of doing it, in one run, as ratios.

``python -m tests.bench PART …`` measures only those parts.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial

from tests.bench import tools
from tests.bench.backups import backups
from tests.bench.checks import checks
from tests.bench.conditions import conditions
from tests.bench.dangerous import dangerous
from tests.bench.hotfix import hotfix
from tests.bench.memory import memory
from tests.bench.race import race
from tests.bench.restarts import restarts
from tests.bench.results import Record, Result
from tests.bench.steps import steps
from tests.bench.switches import switches
from tests.bench.verdicts import verdicts

SWITCHES, REQUESTS = 60, 100_000
ROWS = 5_000_000
NEEDED = ("sshd", "ssh", "tar", "curl", "haproxy", "python3")
SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
PARTS: dict[str, Callable[[], Result]] = {
    "hosts-1": partial(race, 1),
    "hosts-10": partial(race, 10),
    "hosts-50": partial(race, 50),
    "switches": partial(switches, SWITCHES, REQUESTS),
    "steps": steps,
    "memory": memory,
    "restarts": restarts,
    "verdicts": verdicts,
    "dangerous": partial(dangerous, ROWS),
    "backups": backups,
    "checks": checks,
    "hotfix": hotfix,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="all, if none is named")
    asked = parser.parse_args().parts or list(PARTS)
    missing = [name for name in NEEDED if shutil.which(name, path=SEARCHED) is None]
    if missing:
        sys.exit(f"not on this machine: {', '.join(missing)}")
    tools.install()
    record = Record(tools.FOLDER, conditions())
    for part in asked:
        record.add(PARTS[part]())
    print(f"Kept in {tools.FOLDER}: results.md, results.json")


if __name__ == "__main__":
    main()
