"""``python -m tests.campaigns.checks [--runs N] [--seed S]``: how good the verdicts are.

Many simulated shops, each released once, healthy or not, each judged by Tradewind's own clients,
comparison and judgement. Ends with 1 when the goals are missed.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.campaigns.checks import results
from tests.campaigns.checks.campaign import made, plan
from tests.campaigns.checks.kinds import BY_NAME


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=sorted(BY_NAME), help="runs of one kind only")
    parser.add_argument("--results", type=Path, help="where every run is written, a line each")
    asked = parser.parse_args()
    planned = plan(asked.runs, asked.seed, [asked.kind] if asked.kind else [])
    began = time.monotonic()
    rows = made(planned)
    if asked.results:
        asked.results.write_text("".join(f"{json.dumps(asdict(row))}\n" for row in rows))
    summary = results.summary(rows)
    print(results.table(rows), results.wrong(rows), sep="\n\n")
    print(
        f"\n{len(rows)} runs in {time.monotonic() - began:.0f} s: recall of critical faults"
        f" {summary.recall:.2%} (goal {results.GOAL_RECALL:.0%}), false alarms"
        f" {summary.alarms:.2%} (goal {results.GOAL_ALARMS:.1%})"
    )
    sys.exit(0 if summary.good else 1)


if __name__ == "__main__":
    main()
