"""A TCP proxy of our own in front of one address, told to misbehave."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

LOOPBACK = "127.0.0.1"
CHUNK_BYTES = 65_536
CONNECT_SECONDS, ENDED_SECONDS = 10.0, 10.0
FOREVER = 1 << 62
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST, as a cable pulled and a peer rebooted do."""


class Cut:
    """Listens at ``address``:``port`` and passes to the target, until told otherwise.

    What is told counts for connections that live and for those to come.
    """

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self.address = LOOPBACK
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._allowed_bytes, self._delay_seconds, self._answers_lost = FOREVER, 0.0, False
        self._turn = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self.sent_bytes = 0
        self.connections = 0
        self._begin(self._accept, self._listening)

    def passes(self) -> None:
        """As in the beginning."""
        self._allowed_bytes, self._delay_seconds, self._answers_lost = FOREVER, 0.0, False
        if self._listening.fileno() < 0:
            self._listening = socket.create_server((self.address, self.port))
            self._begin(self._accept, self._listening)

    def cuts_after(self, count: int) -> None:
        """``count`` more bytes reach the server, then both sides are reset."""
        with self._turn:
            self._allowed_bytes = self.sent_bytes + count

    def refuses(self) -> None:
        """Nobody listens; what lives is reset."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.resets()

    def delays(self, seconds: float) -> None:
        """Whatever arrives from the client waits so long before it goes on."""
        self._delay_seconds = seconds

    def loses_answers(self) -> None:
        """The server hears everything; what it says goes nowhere."""
        self._answers_lost = True

    def resets(self) -> None:
        """Every connection that lives ends at once; new ones pass."""
        with self._turn:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _reset(pair)

    def __enter__(self) -> "Cut":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.refuses()
        for one in self._threads:
            one.join(ENDED_SECONDS)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            self._begin(self._join, client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, CONNECT_SECONDS)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._turn:
            self._pairs.append((client, server))
        self._begin(self._answer, client, server)
        self._ask(client, server)

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK_BYTES):
                time.sleep(self._delay_seconds)
                with self._turn:
                    allowed = chunk[: max(0, self._allowed_bytes - self.sent_bytes)]
                    self.sent_bytes += len(allowed)
                server.sendall(allowed)
                if len(allowed) < len(chunk):
                    _reset((client, server))
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                if not self._answers_lost:
                    client.sendall(chunk)
            client.shutdown(socket.SHUT_WR)

    def _begin(self, work: Callable[..., None], *ends: socket.socket) -> None:
        thread = threading.Thread(target=work, args=ends, daemon=True)
        self._threads.append(thread)
        thread.start()


def _reset(pair: tuple[socket.socket, socket.socket]) -> None:
    """Closing alone leaves a reader in another thread blocked; SHUT_RDWR would say FIN first."""
    for end in pair:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.shutdown(socket.SHUT_RD)
        end.close()
