"""The sample's services write ECS lines that Tradewind reads as they are."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from domain.logs.record import wrapped

SHOP = Path(__file__).parents[2] / "examples" / "shop"
CODE = """
import logging
import importlib.util
place = importlib.util.spec_from_file_location("logs", "shopdb/logs.py")
logs = importlib.util.module_from_spec(place)
place.loader.exec_module(logs)
logs.begin()
logging.getLogger("shop").info("stock of %s", "TEA-001")
try:
    raise KeyError("no such SKU")
except KeyError:
    logging.getLogger("shop").exception("a pass failed")
"""


def test_a_services_lines_say_who_wrote_them() -> None:
    told = {"TRADEWIND_SERVICE": "storefront", "TRADEWIND_VERSION": "2026.11.28.1"}

    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=SHOP, env={**os.environ, **told}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    first, second = (wrapped(one, datetime.now(UTC)) for one in ran.stderr.splitlines())
    assert (first["message"], first["log.level"]) == ("stock of TEA-001", "info")
    assert (first["service.name"], first["service.version"]) == ("storefront", "2026.11.28.1")
    assert "labels.time" not in first
    assert second["error.type"] == "KeyError"
    assert second["error.stack_trace"].startswith("Traceback")
    assert json.loads(ran.stderr.splitlines()[0])["log.logger"] == "shop"
