"""A shop in a container that does what it is asked to: greet, write, take memory, end slowly."""

import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TAKEN: list[bytes] = []


def greet(_: str) -> str:
    return Path("/app/greeting").read_text().strip()


def write(place: str) -> str:
    try:
        Path(place).write_text("written")
    except OSError as error:
        return str(error.strerror)
    return "written"


def take(megabytes: str) -> str:
    TAKEN.append(b"x" * (int(megabytes) << 20))
    return "taken"


def tell(name: str) -> str:
    return os.environ.get(name, "")


ANSWERS = {"greet": greet, "write": write, "take": take, "tell": tell}


class Page(BaseHTTPRequestHandler):
    """GET /verb?argument."""

    def do_GET(self) -> None:
        verb, _, argument = self.path.lstrip("/").partition("?")
        content = ANSWERS[verb or "greet"](argument).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The output is for what a test looks for."""


def end(number: int, _: object) -> None:
    print(f"ending by {signal.Signals(number).name}")
    time.sleep(float(os.environ.get("END_SECONDS", "0")))
    print("ended")
    sys.exit(0)


for one in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    signal.signal(one, end)
print("serving")
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Page).serve_forever()
