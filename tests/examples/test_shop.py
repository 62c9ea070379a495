"""The sample shop's own tests, for every version that its patches make."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[2] / "examples" / "shop"
SERVICES = ("storefront", "order_sync", "inventory_sync")


def shop(tmp_path: Path, *changes: str) -> Path:
    """A copy of the shop with some of its changes applied."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("changes", "__pycache__"))
    for change in changes:
        (patch,) = (SHOP / "changes").glob(f"{change}-*.patch")
        subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)
    return folder


def exit_codes(folder: Path, database_url: str) -> dict[str, int]:
    """Each service's exit code, on a migrated database."""
    environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(folder)}
    migrated = (
        "from alembic import command, config; c = config.Config();"
        "c.set_main_option('script_location', 'migrations'); command.upgrade(c, 'head')"
    )
    subprocess.run([sys.executable, "-c", migrated], cwd=folder, env=environment, check=True)
    return {
        service: subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{service}/tests"],
            cwd=folder, env=environment, check=False,
        ).returncode
        for service in SERVICES
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("0001",),
        pytest.param(("0001", "0002"), marks=pytest.mark.long),
        pytest.param(("0001", "0003"), marks=pytest.mark.long),
        pytest.param(("0001", "0005"), marks=pytest.mark.long),
    ],
)
def test_every_version_that_reaches_customers_passes_its_tests(
    tmp_path: Path, database_url: str, changes: tuple[str, ...]
) -> None:
    assert set(exit_codes(shop(tmp_path, *changes), database_url).values()) == {0}


def test_the_last_version_fails_its_tests(tmp_path: Path, database_url: str) -> None:
    assert exit_codes(shop(tmp_path, "0001", "0004"), database_url)["storefront"] == 1
