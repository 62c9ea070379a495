"""Chats' own clouds on this machine: their hosts behind a proxy, their rules, what they got."""

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TEAMS = "prod-01.westeurope.logic.azure.com"
HOSTS = (
    "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com",
    "hooks.slack.com", TEAMS,
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request that a cloud got: where, and with what."""

    host: str
    path: str
    query: Mapping[str, str]
    content: Any


Rule = Callable[[Call], tuple[int, Any]]


class Clouds:
    """An HTTP proxy behind which every host is ours; ``rules`` say what a host answers."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self.rules: dict[str, Rule] = {
            "oapi.dingtalk.com": dingtalk,
            "open.feishu.cn": feishu,
            "open.larksuite.com": feishu,
            "qyapi.weixin.qq.com": wecom,
        }  # the others take everything
        self.certificate = folder / "clouds.pem"
        self._secure = _context(self.certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Clouds"]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(call)
        return self.rules.get(call.host, taken)(call)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        clouds = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.connection = clouds._secure.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.close_connection = False

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = clouds.answer(_call(self.headers["Host"], self.path, body))
                content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_words: object) -> None:
                """Nothing: a test reads ``calls``."""

        return Handler


def taken(_call: Call) -> tuple[int, Any]:
    """What Slack, Teams and most webhooks say."""
    return 200, "ok"


def dingtalk(call: Call) -> tuple[int, Any]:
    """A robot that asks for a signature, with the secret "SECding"."""
    stamp = call.query.get("timestamp", "0")
    fresh = abs(time.time() * 1000 - int(stamp)) < 3_600_000
    if not fresh or call.query.get("sign") != _sign("SECding", f"{stamp}\nSECding"):
        return 200, {"errcode": 310000, "errmsg": "sign not match"}
    if call.content["msgtype"] not in call.content:
        return 200, {"errcode": 40035, "errmsg": "the message of this type is missing"}
    return 200, {"errcode": 0, "errmsg": "ok"}


def feishu(call: Call) -> tuple[int, Any]:
    """A robot that asks for a signature, with the secret "fei-secret"."""
    stamp = call.content.get("timestamp", "0")
    if call.content.get("sign") != _sign(f"{stamp}\nfei-secret", ""):
        return 200, {"code": 19021, "msg": "sign match fail", "data": {}}
    return 200, {"code": 0, "msg": "success", "data": {}}


def wecom(call: Call) -> tuple[int, Any]:
    """A robot with the key "wecom-key", which takes 2048 bytes of text."""
    if call.query.get("key") != "wecom-key":
        return 200, {"errcode": 93000, "errmsg": "invalid webhook url"}
    if len(call.content["text"]["content"].encode()) > 2048:
        return 200, {"errcode": 40058, "errmsg": "content exceed max length"}
    return 200, {"errcode": 0, "errmsg": "ok"}


def _call(host: str, path: str, body: bytes) -> Call:
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Call(host.partition(":")[0], parts.path, query, json.loads(body))


def _sign(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _context(place: Path) -> ssl.SSLContext:
    """A certificate for all the hosts; whoever trusts ``place`` trusts them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clouds")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    place.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place)
    return context
