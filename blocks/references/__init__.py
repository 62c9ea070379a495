"""References in shop.yaml, resolved when used: ``${env:…}``, ``${file:…}``, ``${sops:…}``, …"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from blocks import redaction
from blocks.references import environment as variables
from blocks.references import files, sops, vault
from blocks.references.places import Places, Reference
from domain.errors import BadInput

_REFERENCE = re.compile(r"\$\{([a-z]+):([^}]*)\}")
_KINDS: Mapping[str, Callable[[Reference, Places], str]] = {
    "env": variables.value,
    "file": files.value,
    "sops": sops.value,
    "vault": vault.value,
}


def resolve(
    text: str,
    folder: Path,
    environment: Mapping[str, str],
    beside: Path | None = None,
    age_identity: str = "",
) -> str:
    """``text`` with every reference replaced; each value is kept out of logs from then on.

    Files are inside ``folder``, sealed ones inside ``beside`` (``folder`` when None), opened by the
    identity that the reference ``age_identity`` leads to, or by those that SOPS itself would find.
    Raises BadInput naming a reference that leads nowhere, Unavailable when a Vault does not answer;
    a value is never part of an error.
    """
    places = Places(
        folder,
        beside or folder,
        environment,
        lambda: resolve(age_identity, folder, environment, beside),
    )
    return _REFERENCE.sub(lambda found: _value(Reference(*found.groups()), places), text)


def _value(reference: Reference, places: Places) -> str:
    if reference.kind not in _KINDS:
        known = ", ".join(_KINDS)
        raise BadInput(f"{reference}: kind of reference is {reference.kind!r}, known are {known}")
    value = _KINDS[reference.kind](reference, places)
    redaction.learn(value)
    return value
