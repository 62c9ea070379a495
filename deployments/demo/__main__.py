"""``make demo``: a fresh folder, then the story. ``KEEP=1`` leaves everything up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deployments.settings import state_of, use


def main() -> int:
    """0 when every promise was kept."""
    folder = Path(os.environ.get("DEMO_FOLDER", ".tradewind/demo")).resolve()
    shop = folder / "shop.yaml"
    if shop.exists():  # a demo before this one that was kept, or cut off
        command = [sys.executable, "-m", "deployments.cli", "--shop", str(shop), "down"]
        subprocess.run(command, check=True)
    shutil.rmtree(folder, ignore_errors=True)
    use(state_of(shop))
    from deployments.demo.story import tell  # Prefect reads its settings when it is imported

    return tell(folder, keep=bool(os.environ.get("KEEP")))


if __name__ == "__main__":
    sys.exit(main())
