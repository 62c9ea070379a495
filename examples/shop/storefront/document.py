"""The storefront's OpenAPI document, as it is served."""

import json
from pathlib import Path

DOCUMENT = json.loads((Path(__file__).parent / "openapi.json").read_text())
