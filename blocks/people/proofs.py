"""What proves who somebody is: passwords (argon2id) and codes (TOTP, RFC 6238)."""

import secrets
import threading
import unicodedata
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken

from domain.access.rules import code_steps
from domain.errors import Failed

ISSUER = "Tradewind"
AT_ONCE = 2
"""Each hash takes 64 MiB: a flood of sign-ins waits instead of filling the memory."""


def digest(plain: str) -> str:
    """What is stored of a token or a session's cookie, both 32 random bytes."""
    return sha256(plain.encode("utf-8", "replace")).hexdigest()


class Passwords:
    """A name that nobody has costs as much as one that is known."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def hashed(self, password: str) -> str:
        with self._turn:
            return self._hasher.hash(_composed(password))

    def match(self, stored: str | None, password: str) -> bool:
        """None for an unknown name: the same work, and never a match."""
        with self._turn:
            return self._verifies(stored or self._nobodys, password) and stored is not None

    def _verifies(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _composed(password))
        except (VerificationError, InvalidHashError):
            return False


class Codes:
    """Secrets of second factors, sealed with the key file's key for one person each."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def fresh(self, name: str) -> tuple[str, str]:
        """A new secret: sealed, and as the ``otpauth:`` address that an app reads."""
        secret = pyotp.random_base32()
        sealed = self._fernet.encrypt(f"{name}:{secret}".encode()).decode()
        return sealed, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)

    def step(self, name: str, sealed: str, code: str, now: datetime) -> int | None:
        """The step whose code this is. Failed when the secret cannot be opened."""
        totp = pyotp.TOTP(self._secret(name, sealed))
        told = code.replace(" ", "").encode("utf-8", "replace")
        same = [step for step in code_steps(now)
                if compare_digest(totp.generate_otp(step).encode(), told)]  # fmt: skip
        return same[0] if same else None

    def _secret(self, name: str, sealed: str) -> str:
        try:
            owner, _, secret = self._fernet.decrypt(sealed.encode()).decode().partition(":")
        except InvalidToken as error:
            raise Failed(f"the second factor of {name} was sealed with another key") from error
        if owner != name:
            raise Failed(f"the second factor of {name} was sealed for {owner}")
        return secret


def _composed(password: str) -> bytes:
    """One form for the same characters, whatever the keyboard composed them from."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
