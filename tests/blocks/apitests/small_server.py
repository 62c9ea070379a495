"""A small real server with a true document, and one page for each kind of bug."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

JSON, PLAIN = "application/json", "text/plain"
THING = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}
BUGS = {"500": "/broken", "schema": "/lying", "content type": "/plain"}
"""Each kind of bug, and the page that has it."""


def document(*paths: str) -> dict[str, Any]:
    """An OpenAPI document of these pages, which all promise a thing in JSON."""
    promised = {"200": {"description": "A thing", "content": {JSON: {"schema": THING}}}}
    operations = {path: {"get": {"responses": promised}} for path in paths}
    return {"openapi": "3.1.0", "info": {"title": "Small", "version": "1"}, "paths": operations}


PAGES: dict[str, tuple[int, str, Any]] = {
    "/thing": (200, JSON, {"sku": "TEA-001"}),
    "/broken": (500, JSON, {"error": "a pipe burst"}),
    "/lying": (200, JSON, {"name": "tea"}),
    "/plain": (200, PLAIN, {"sku": "TEA-001"}),
    "/openapi.json": (200, JSON, document("/thing")),
}


@dataclass
class Served:
    """``seen`` has method, path and headers of every request."""

    address: str = ""
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def served() -> Iterator[Served]:
    found = Served()

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.seen.append((self.command, self.path, dict(self.headers)))
            missing = (404, JSON, {"error": f"no page {self.path}"})
            status, kind, content = PAGES.get(self.path.partition("?")[0], missing)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _any  # noqa: N815 as http.server finds them

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Page) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield found
        server.shutdown()


def collection(*requests: tuple[str, str, str]) -> str:
    """A Postman collection v2.1: name, URL and the test's script of each request."""
    items = [
        {
            "name": name,
            "request": {"method": "GET", "url": url},
            "event": [{"listen": "test", "script": {"exec": script.split("\n")}}],
        }
        for name, url, script in requests
    ]
    kind = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return json.dumps({"info": {"name": "Small", "schema": kind}, "item": items})


def expects(status: int) -> str:
    return f"pm.test('answers {status}', () => pm.response.to.have.status({status}));"
