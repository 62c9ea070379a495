"""``make scale``: the demo on two servers and two workers, one of each killed on the way.

Ends with 1 when a promise of the demo is broken, or nobody took the work over.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from deployments.settings import state_of, use

RUN_SECONDS, MOST_SECONDS = 600.0, 1500.0


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="tradewind-scale-")) / "shop"
    use(state_of(folder / "shop.yaml"))
    from deployments.demo.story import Stage, tell  # Prefect reads its settings when imported
    from tests.campaigns.scale.deaths import Deaths
    from tests.campaigns.scale.stack import ScaledStack

    deaths = Deaths()
    stage = Stage(ScaledStack, RUN_SECONDS, MOST_SECONDS, deaths.meanwhile)
    try:
        broken = tell(folder, False, stage)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    for one in deaths.seen:
        after = one.recovered_seconds
        went = "the work never went on" if after is None else f"it went on after {after:.1f} s"
        print(f"{one.who} killed when {one.moment}: {went}")
    survived = len(deaths.seen) == 2 and all(one.recovered_seconds for one in deaths.seen)
    return broken or (0 if survived else 1)


if __name__ == "__main__":
    sys.exit(main())
