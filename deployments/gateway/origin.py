"""Whether a browser's request came from a page of this gateway."""

from collections.abc import Mapping

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def same(headers: Mapping[str, str], origin: str) -> bool:
    """By ``Origin``, or by ``Sec-Fetch-Site`` where there is none; neither is not the same.

    >>> same({"origin": "https://shop.example"}, "https://shop.example")
    True
    >>> same({"sec-fetch-site": "same-site"}, "https://shop.example"), same({}, "")
    (False, False)
    """
    told = headers.get("origin")
    if told is not None:
        return told == origin
    return headers.get("sec-fetch-site") == "same-origin"
