"""``${sops:FILE#path.to.key}``: one value of a file that SOPS sealed to age recipients.

The format is described in SOPS's documentation ("Encryption protocol", "Message Authentication
Code"); what is not said there is as SOPS 3.11 writes it, which the tests run.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from blocks.references.age import data_key
from blocks.references.files import inside, text
from blocks.references.places import Places, Reference
from domain.errors import BadInput

_SEALED = re.compile(r"ENC\[AES256_GCM,data:(.*),iv:(.+),tag:(.+),type:(\w+)\]", re.DOTALL)
_ONLY_ENCRYPTED = sha256(b"sops").digest()
_RULES = ("unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex")
_UNREAD = ("unencrypted_comment_regex", "encrypted_comment_regex", "key_groups")
Key = tuple[str, ...]


def value(reference: Reference, places: Places) -> str:
    """Raises BadInput for a file that is no such file, was changed, or is sealed to others."""
    name, key = reference.halves()
    path = inside(reference, places.beside, name)
    document, sops = _parts(reference, path)
    opening = data_key(reference, sops, places)
    sealed = _File(reference, name, sops, opening, _rules(reference, sops))
    leaves = dict(sealed.opened(document))
    return sealed.shown(leaves, tuple(key.split(".")))


class _Plain(yaml.SafeLoader):
    """Times stay as they are written, since the MAC is made of that."""

    yaml_implicit_resolvers = {  # noqa: RUF012 as in its parent
        first: [one for one in known if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _parts(reference: Reference, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The document, and what SOPS says of it."""
    read = text(reference, path)
    try:  # a number is a float where SOPS reads JSON
        json_read = path.suffix == ".json"
        found = json.loads(read, parse_int=float) if json_read else yaml.load(read, _Plain)
    except (yaml.YAMLError, ValueError):
        raise BadInput(f"{reference}: {path} is neither YAML nor JSON of one document") from None
    sops = found.pop("sops", None) if isinstance(found, dict) else None
    if not isinstance(sops, dict):
        raise BadInput(f"{reference}: {path} was not sealed by SOPS")
    for unread in _UNREAD:
        if sops.get(unread):
            raise BadInput(f"{reference}: {path} has {unread}, which Tradewind does not read")
    return found, sops


@dataclass(frozen=True)
class _Leaf:
    """``signed`` is what the MAC is made of, ``kind`` SOPS's own word for its type."""

    signed: bytes = field(repr=False)
    kind: str
    sealed: bool = True


@dataclass(frozen=True)
class _File:
    reference: Reference
    name: str
    sops: Mapping[str, Any]
    data_key: bytes = field(repr=False)
    rules: tuple[tuple[bool, re.Pattern[str]], ...]

    def opened(self, document: Mapping[str, Any]) -> Iterator[tuple[Key, _Leaf]]:
        """Every value by its key; BadInput at the end when one was changed, added or taken away."""
        only_sealed = bool(self.sops.get("mac_only_encrypted"))
        mac = sha512(_ONLY_ENCRYPTED if only_sealed else b"")
        for key, names, written in _walked(document, (), ()):
            leaf = self._leaf(names, written)
            if leaf.sealed or not only_sealed:
                mac.update(leaf.signed)
            yield key, leaf
        known = self._unsealed(str(self.sops.get("mac")), str(self.sops.get("lastmodified")), "mac")
        if not hmac.compare_digest(known.signed, mac.hexdigest().upper().encode()):
            raise BadInput(f"{self.reference}: {self.name} was changed: its MAC is of other values")

    def shown(self, leaves: Mapping[Key, _Leaf], key: Key) -> str:
        if key not in leaves:
            raise BadInput(f"{self.reference}: {self.name} has no single value at {'.'.join(key)}")
        leaf = leaves[key]
        found = leaf.signed.decode(errors="replace")
        return found.lower() if leaf.kind == "bool" else found

    def _is_sealed(self, names: Key) -> bool:
        """A later rule overrules those before it."""
        sealed = True
        for seals, pattern in self.rules:
            matches = any(map(pattern.search, names))
            sealed = matches if seals else sealed and not matches
        return sealed

    def _leaf(self, names: Key, written: Any) -> _Leaf:
        if not self._is_sealed(names):
            return _Leaf(_signed(written), type(written).__name__, sealed=False)
        if written == "":  # SOPS leaves nothing as nothing
            return _Leaf(b"", "str")
        return self._unsealed(written, ":".join(names) + ":", ".".join(names))

    def _unsealed(self, written: Any, bound_to: str, where: str) -> _Leaf:
        found = _SEALED.fullmatch(written) if isinstance(written, str) else None
        if not found:
            raise BadInput(f"{self.reference}: {self.name} is not sealed at {where}")
        try:
            content, nonce, tag = (
                base64.b64decode(found[part], validate=True) for part in (1, 2, 3)
            )
            plain = AESGCM(self.data_key).decrypt(nonce, content + tag, bound_to.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise BadInput(f"{self.reference}: {self.name} was changed at {where}") from None
        return _Leaf(plain, found[4])


def _walked(node: Any, key: Key, names: Key) -> Iterator[tuple[Key, Key, Any]]:
    """Leaves in order: their whole key, their key without places in lists, what is written."""
    if isinstance(node, dict):
        for name, below in node.items():
            yield from _walked(below, (*key, str(name)), (*names, str(name)))
    elif isinstance(node, list):
        for place, below in enumerate(node):
            yield from _walked(below, (*key, str(place)), names)
    elif node is not None:
        yield key, names, node


def _rules(
    reference: Reference, sops: Mapping[str, Any]
) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """Whether a rule says what is sealed (or else what is not), and the names that it means."""
    known = {rule: str(sops[rule]) for rule in _RULES if sops.get(rule)}
    known = known or {"unencrypted_suffix": "_unencrypted"}
    try:
        return tuple((rule.startswith("enc"), _names(rule, known[rule])) for rule in known)
    except re.error:
        raise BadInput(f"{reference}: a rule of {', '.join(known)} cannot be read") from None


def _names(rule: str, pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern) + r"\Z" if rule.endswith("suffix") else pattern)


def _signed(written: Any) -> bytes:
    """As Go writes it: no exponent, no ``.0``, True and False."""
    if isinstance(written, float):
        digits = format(Decimal(repr(written)), "f")
        return (digits.rstrip("0").rstrip(".") if "." in digits else digits).encode()
    return str(written).encode()
