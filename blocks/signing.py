"""The shop's own signing key (Ed25519): what it signed can be proven by anybody, anywhere."""

import os
import stat
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from domain.errors import BadInput

READ_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Signing:
    """The key in ``signing/`` of a shop's state folder, made when something is first signed.

    Whoever only proves needs ``public.key``; ``private.pem`` is for whoever signs, and nobody else.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "signing"

    def sign(self, text: str) -> str:
        """The signature, base64. BadInput when the key is none, or others may read it."""
        return b64encode(self._private().sign(text.encode())).decode()

    def proves(self, text: str, signature: str) -> bool:
        """Whether this key signed the text; never where there is no key yet."""
        place = self._folder / "public.key"
        return place.exists() and proves(place.read_text().strip(), text, signature)

    @property
    def public_key(self) -> str:
        """The 32 bytes, base64; the key is made when there is none."""
        return _public(self._private())

    def _private(self) -> Ed25519PrivateKey:
        place = self._folder / "private.pem"
        if not place.exists():
            self._make(place)
        mode = stat.S_IMODE(place.stat().st_mode)
        if mode & READ_BY_OTHERS:
            raise BadInput(f"{place} has mode {mode:04o}, limit 0600: others could sign")
        key = load_pem_private_key(place.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput(f"{place} is a key of another kind: an Ed25519 key is needed")
        return key

    def _make(self, place: Path) -> None:
        """All or nothing; of two who make it at once, the first one's stays."""
        self._folder.mkdir(parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with TemporaryDirectory(dir=self._folder) as folder:
            made = Path(folder) / "key"
            made.touch(0o600)
            made.write_bytes(pem)
            try:
                os.link(made, place)
            except FileExistsError:
                return
            shown = Path(folder) / "public"
            shown.write_text(_public(key) + "\n")
            shown.replace(self._folder / "public.key")


def proves(public_key: str, text: str, signature: str) -> bool:
    """Whether ``signature`` over ``text`` is by this key; both base64, and none proves nothing."""
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))
        key.verify(b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public_key: str) -> str:
    """What people compare: a short name of a public key."""
    return "sha256:" + sha256(public_key.encode()).hexdigest()[:32]


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b64encode(raw).decode()
