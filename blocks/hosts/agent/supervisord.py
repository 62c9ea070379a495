"""What supervisord is asked over XML-RPC: texts and booleans go, structures come back.

``xmlrpc.client`` would be a third of the time in which an agent starts.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .files import read
from .pages import request

SCALARS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "i4": int,
    "boolean": lambda text: text == "1",
    "string": str,
}


class Fault(Exception):
    """Supervisord refused, and says why."""


class Silent(OSError):
    """Supervisord does not answer."""


def call(home: Path, method: str, *given: str | bool) -> Any:
    """The method's answer: numbers, texts, lists and dictionaries. Raises Fault or Silent."""
    known = read(home / "supervisor.json", {})
    account = f"tradewind:{known.get('password')}".encode()
    headers = {
        "Content-Type": "text/xml",
        "Authorization": f"Basic {binascii.b2a_base64(account, newline=False).decode()}",
    }
    status, body = request(known.get("port", 1), "POST", "/RPC2", headers, asked(method, given))
    if status != 200:
        raise Silent(f"supervisord answers {method} with {status} {body[:200]}")
    return told(body)


def asked(method: str, given: tuple[str | bool, ...]) -> bytes:
    values = "".join(f"<param><value>{_written(value)}</value></param>" for value in given)
    name = f"<methodName>supervisor.{method}</methodName>"
    return f"<methodCall>{name}<params>{values}</params></methodCall>".encode()


def _written(value: str | bool) -> str:
    if isinstance(value, bool):
        return f"<boolean>{value:d}</boolean>"
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<string>{escaped}</string>"


def told(body: str) -> Any:
    """The answer in a document of XML-RPC.

    >>> told("<methodResponse><params><param><value><array><data><value><int>4</int></value>"
    ...      "<value>a&lt;b</value></data></array></value></param></params></methodResponse>")
    [4, 'a<b']
    """
    from xml.parsers import expat

    reader = expat.ParserCreate()
    root: list[Any] = ["", "", []]  # name, text, children
    path = [root]

    def begin(name: str, _attributes: dict[str, str]) -> None:
        element: list[Any] = [name, "", []]
        path[-1][2].append(element)
        path.append(element)

    def text(content: str) -> None:
        path[-1][1] += content

    reader.StartElementHandler = begin
    reader.EndElementHandler = lambda _name: path.pop()
    reader.CharacterDataHandler = text
    try:
        reader.Parse(body, True)
        return _response(root[2][0])
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Silent(f"supervisord's answer is no XML-RPC: {body[:200]} ({error})") from error


def _response(response: list[Any]) -> Any:
    first = response[2][0]
    if first[0] == "fault":
        raise Fault(_value(first[2][0])["faultString"])
    return _value(first[2][0][2][0])


def _value(value: list[Any]) -> Any:
    """Of a ``value`` element: its typed child's, or its own text."""
    if not value[2]:
        return value[1]
    kind, text, children = value[2][0]
    if kind == "struct":
        return {member[2][0][1]: _value(member[2][1]) for member in children}
    if kind == "array":
        return [_value(one) for one in children[0][2]]
    return SCALARS[kind](text)
