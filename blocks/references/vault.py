"""``${vault:MOUNT/PATH#FIELD}``: a field of a secret in HashiCorp Vault or OpenBao, KV version 2.

As Vault's HTTP API says: VAULT_ADDR, VAULT_NAMESPACE and VAULT_CACERT lead there; VAULT_TOKEN, or
VAULT_ROLE_ID and VAULT_SECRET_ID of an AppRole, let in.
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from blocks import redaction
from blocks.references.places import Places, Reference
from domain.errors import BadInput, Unavailable

LIMIT_SECONDS = 5.0
"""For all requests of one reference together."""


def value(reference: Reference, places: Places) -> str:
    """Raises BadInput for what Vault says no to, Unavailable when it does not answer in time."""
    path, field = reference.halves()
    mount, _, secret = path.partition("/")
    if not mount or not secret:
        raise BadInput(f"{reference} names no mount and path: vault:MOUNT/PATH#FIELD is needed")
    with _vault(reference, places.environment) as vault, vault.let_in(places.environment) as token:
        found = vault.ask("GET", f"{quote(mount)}/data/{quote(secret)}", token)
    return _field(reference, found, field)


def _field(reference: Reference, found: Mapping[str, Any], field: str) -> str:
    fields = _inner(_inner(found, "data"), "data")
    if field not in fields:
        raise BadInput(f"{reference}: the secret has no field {field}")
    value = fields[field]
    if value is None or isinstance(value, dict | list):
        raise BadInput(f"{reference}: the field {field} is not a single value")
    return value if isinstance(value, str) else json.dumps(value)


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


@contextmanager
def _vault(reference: Reference, known: Mapping[str, str]) -> Iterator["_Vault"]:
    address = known.get("VAULT_ADDR", "")
    if not address.startswith(("https://", "http://")):
        raise BadInput(f"{reference}: VAULT_ADDR is no address: https://… is needed")
    namespace = known.get("VAULT_NAMESPACE")
    headers = {"X-Vault-Request": "true"}
    if namespace:
        headers["X-Vault-Namespace"] = namespace
    with httpx.Client(base_url=address, headers=headers, verify=_trust(reference, known)) as http:
        yield _Vault(http, reference, time.monotonic() + LIMIT_SECONDS)


def _trust(reference: Reference, known: Mapping[str, str]) -> ssl.SSLContext:
    certificates = known.get("VAULT_CACERT") or None
    try:
        return ssl.create_default_context(cafile=certificates)
    except OSError as error:  # of the file, and of what is in it
        raise BadInput(f"{reference}: VAULT_CACERT {certificates} cannot be read") from error


@dataclass(frozen=True)
class _Vault:
    http: httpx.Client
    reference: Reference
    deadline: float

    @contextmanager
    def let_in(self, known: Mapping[str, str]) -> Iterator[str]:
        """A token; one that was asked for is given back, so that none are left behind."""
        if token := known.get("VAULT_TOKEN"):
            redaction.learn(token)
            yield token
            return
        granted = _inner(self.ask("POST", "auth/approle/login", body=self._role(known)), "auth")
        token = str(granted.get("client_token"))
        redaction.learn(token)
        try:
            yield token
        finally:
            if granted.get("token_type") != "batch":  # those end by themselves
                self.ask("POST", "auth/token/revoke-self", token)

    def _role(self, known: Mapping[str, str]) -> dict[str, str]:
        role, secret = known.get("VAULT_ROLE_ID", ""), known.get("VAULT_SECRET_ID", "")
        if not role:
            raise BadInput(
                f"{self.reference}: VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, is not set"
            )
        redaction.learn(secret)
        return {"role_id": role, "secret_id": secret}

    def ask(
        self, method: str, path: str, token: str = "", body: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        left = max(self.deadline - time.monotonic(), 0.001)
        headers = {"X-Vault-Token": token} if token else {}
        try:
            answer = self.http.request(
                method, f"/v1/{path}", headers=headers, json=body, timeout=left
            )
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self.reference}: {self.http.base_url} could not be asked within"
                f" {LIMIT_SECONDS:.0f} s: {error or type(error).__name__}"
            ) from None
        return self._read(answer, path)

    def _read(self, answer: httpx.Response, path: str) -> Mapping[str, Any]:
        status = answer.status_code
        if not answer.is_success:
            known = {one.value: one.phrase for one in HTTPStatus}
            said = f"{self.reference}: {path} was answered {status} {known.get(status, '')}".strip()
            raise Unavailable(said) if status >= 500 or status == 429 else BadInput(said)
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unavailable(f"{self.reference}: {path} was answered {status}, but not in JSON")
        return found
