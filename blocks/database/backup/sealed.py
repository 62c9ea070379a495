"""Files sealed to the recipient of an age identity: ``age -d -i KEYFILE FILE.age`` opens them."""

import os
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]

from domain.errors import BadInput, Failed

SUFFIX = ".age"


def identity(key: str) -> Any:
    """From ``AGE-SECRET-KEY-1…``; BadInput, which never shows it, when it is no such thing."""
    try:
        return pyrage.x25519.Identity.from_str(key.strip())
    except pyrage.IdentityError:
        raise BadInput("the backup key is no age identity (AGE-SECRET-KEY-1…)") from None


def seal(folder: Path, key: str) -> None:
    """File by file, the plain one gone once the sealed one is on disk; Failed when it cannot."""
    recipient = identity(key).to_public()
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        sealed = path.with_name(path.name + SUFFIX)
        try:
            pyrage.encrypt_file(str(path), str(sealed), [recipient])
        except pyrage.EncryptError as error:
            raise Failed(f"{path.name} cannot be sealed: {error}") from error
        with sealed.open("rb") as file:
            os.fsync(file.fileno())
        path.unlink()


def unseal(folder: Path, key: str, into: Path) -> None:
    """Every file, plain, into another folder; BadInput for the wrong key."""
    if not key:
        raise BadInput(f"backup {folder.name} is sealed, and no key is given")
    known = identity(key)
    for path in [path for path in folder.rglob(f"*{SUFFIX}") if path.is_file()]:
        plain = into / path.relative_to(folder).with_suffix("")
        plain.parent.mkdir(parents=True, exist_ok=True)
        try:
            pyrage.decrypt_file(str(path), str(plain), [known])
        except pyrage.DecryptError:
            raise BadInput(f"the backup key does not open {path.name}") from None
