"""Answers of our own where Prefect's would tell secrets, and its UI cannot do without any."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

NO_BLOCKS: Mapping[str, Any] = {
    "POST /api/block_documents/filter": [],
    "POST /api/block_documents/count": 0,
}
"""Blocks hold secrets; the list of events asks for them to show their names."""

QUIET = {"server": {"analytics_enabled": False, "ui": {"show_promotional_content": False}}}
"""Of the server's settings, what the UI acts on; with none it would send analytics away."""


def blank(request: Request, manages: bool) -> JSONResponse | None:
    """None where Prefect itself, or nobody, answers; an admin sees the server's own settings."""
    call = f"{request.method} {request.url.path}"
    if call == "GET /api/admin/settings" and not manages:
        return JSONResponse(QUIET)
    return JSONResponse(NO_BLOCKS[call]) if call in NO_BLOCKS else None
