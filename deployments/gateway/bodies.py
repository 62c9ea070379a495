"""Bodies of requests, bounded before they are read."""

import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException
from starlette.requests import Request

from domain.errors import BadInput

MOST_BYTES = 1024 * 1024
MOST_FIELDS = 20


async def body_of(request: Request, most: int = MOST_BYTES) -> bytes:
    """The whole body; answered with 413 as soon as it is longer than ``most`` bytes."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > most:
            raise HTTPException(413, f"the body has more than {most:,} bytes, which is the limit")
    return bytes(read)


def json_of(body: bytes) -> dict[str, Any]:
    """BadInput for what is no JSON object; nothing is an empty one."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput("the body has to be one JSON object")
    return found


async def form_of(request: Request) -> dict[str, str]:
    """A form of our own pages; of a name that comes twice the last one counts."""
    try:
        text = (await body_of(request, 10_000)).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise BadInput("the form cannot be read") from error
