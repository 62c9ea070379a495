"""A small HTTP server on $HOST:$PORT, ended by SIGTERM after the requests in flight."""

import json
import logging
import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shopdb import logs

LOG = logging.getLogger("shop")


class Pages(BaseHTTPRequestHandler):
    """JSON in, JSON out; connections stay open, so that a proxy may reuse them at any time."""

    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def body(self):
        """The request's JSON object, or None when it is none."""
        length = int(self.headers.get("Content-Length") or 0)
        try:
            found = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def answer(self, status, content):
        if status >= 500:
            LOG.warning("%s %s answered %d: %s", self.command, self.path, status, content)
        text = json.dumps(content, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        """Requests are the proxy's to log."""


def serve(pages):
    """Serves until SIGTERM."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    logs.begin()
    server = Server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), pages)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    LOG.info("serves on port %d", server.server_address[1])
    server.serve_forever()
    LOG.info("ended as asked")
