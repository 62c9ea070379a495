"""The demo's customers are strict: once only, and every answer is called what it was."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from examples.customers import Buyer, Diary, Wish

ANSWERS = {
    "/sold": (201, b'{"order_id": 7}'),
    "/broken": (500, b'{"error": "UndefinedColumn"}'),
    "/proxy": (503, b"upstream connect error"),
    "/soldout": (409, b'{"error": "sold out"}'),
}


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.headers["Idempotency-Key"])  # type: ignore[attr-defined]
        if self.path == "/cut":
            self.close_connection = True
            return
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.seen = []  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server
    server.shutdown()
    serving.join()
    server.server_close()


def bought(shop: ThreadingHTTPServer, *paths: str) -> list[tuple[str, int, str]]:
    """How each checkout ended by the diary: outcome, status, order."""
    diary = io.StringIO()
    buyer = Buyer(f"http://127.0.0.1:{shop.server_port}", Diary(diary), 0.1)
    for path in paths:
        buyer.send(Wish("checkout", "POST", path, (201,), {"sku": "TEA-001"}, f"key of {path}"))
    lines = [json.loads(line) for line in diary.getvalue().splitlines()]
    return [(line["outcome"], line["status"], line["order"]) for line in lines]


def test_every_answer_is_called_what_it_was(shop: ThreadingHTTPServer) -> None:
    found = bought(shop, "/sold", "/broken", "/proxy", "/cut", "/soldout", "/sold")

    assert found == [
        ("ok", 201, "7"),
        ("error", 500, ""),
        ("dropped", 503, ""),
        ("dropped", 0, ""),
        ("refused", 409, ""),
        ("ok", 201, "7"),
    ]


def test_a_checkout_without_an_answer_is_never_sent_again(shop: ThreadingHTTPServer) -> None:
    bought(shop, "/sold", "/cut", "/sold")

    assert shop.seen == ["key of /sold", "key of /cut", "key of /sold"]  # type: ignore[attr-defined]
