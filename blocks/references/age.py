"""The key of a file that SOPS sealed to age recipients, opened by an identity that is here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]

from blocks import redaction
from blocks.references.files import text
from blocks.references.places import Places, Reference
from domain.errors import BadInput


def data_key(reference: Reference, sops: Mapping[str, Any], places: Places) -> bytes:
    """32 bytes; BadInput where no identity is one of those that the file is sealed to."""
    recipients = [one for one in sops.get("age") or () if isinstance(one, dict)]
    if not recipients:
        raise BadInput(f"{reference} is sealed to no age recipient, and other keys are not read")
    identities = _identities(reference, places)
    for recipient in recipients:
        try:
            return bytes(pyrage.decrypt(str(recipient.get("enc")).encode(), identities))
        except pyrage.DecryptError:
            continue
    named = ", ".join(str(recipient.get("recipient")) for recipient in recipients)
    raise BadInput(f"{reference} is sealed to {named}, and no age identity here is one of them")


def _identities(reference: Reference, places: Places) -> list[Any]:
    """One in each line, in all the places where SOPS looks, too."""
    known = places.environment
    texts = [places.age_identity(), known.get("SOPS_AGE_KEY", "")]
    if file := known.get("SOPS_AGE_KEY_FILE"):
        texts.append(text(reference, Path(file)))
    lines = [line.strip() for one in texts for line in one.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        raise BadInput(
            f"{reference}: no age identity: secrets.age_identity, SOPS_AGE_KEY and"
            " SOPS_AGE_KEY_FILE are empty"
        )
    return [_identity(reference, line) for line in wanted]


def _identity(reference: Reference, line: str) -> Any:
    redaction.learn(line)
    try:
        return pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError:
        raise BadInput(f"{reference}: an age identity cannot be read: AGE-SECRET-KEY-1…") from None
