"""An RSS feed of deprecations, parsed without entities and document types."""

from collections.abc import Iterator
from datetime import date
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, ParseError  # only the types; defusedxml parses

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from domain.contracts.notices import Notice
from domain.contracts.prose import first_date
from domain.errors import BadInput


def notices(content: bytes, place: str) -> tuple[Notice, ...]:
    """Every item. Raises BadInput for what is no RSS, or has a document type or entities."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, ValueError, DefusedXmlException) as error:
        raise BadInput(f"{place} is no RSS that may be read: {error!r}") from error
    return tuple(_notices(root))


def _notices(root: Element) -> Iterator[Notice]:
    for item in root.iter():
        if _name(item) in ("item", "entry"):
            said = {_name(child): " ".join("".join(child.itertext()).split()) for child in item}
            yield Notice(
                said.get("title", ""),
                said.get("description", "") or said.get("summary", ""),
                said.get("link", ""),
                _date(said.get("deprecationdate", "")),
                _date(said.get("decommissiondate", "")),
            )


def _name(element: Element) -> str:
    """Without its namespace, in small letters."""
    return str(element.tag).rpartition("}")[2].lower()


def _date(text: str) -> date | None:
    """In ISO 8601, in words, or as RSS writes dates."""
    found = first_date(text)
    if found is not None or not text:
        return found
    try:
        return parsedate_to_datetime(text).date()
    except ValueError:
        return None
