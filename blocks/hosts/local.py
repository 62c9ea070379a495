"""This machine as a host: the same door and the same agent, run as a child process."""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from blocks.hosts.agent_host import AgentHost
from blocks.hosts.bundle import DOOR
from blocks.hosts.conversation import Conversation

STEP_SECONDS = 60.0
READ_BYTES = 1 << 16


def local_host(name: str, home: Path, tools: Mapping[str, str]) -> AgentHost:
    """``home`` is the host's folder; tools that are not given are those beside this Python."""
    beside = Path(sys.executable).parent
    own = {tool: str(beside / tool) for tool in ("supervisord", "envoy")}
    wanted = {"python": sys.executable, "haproxy": "haproxy", "proxy": "envoy", **own, **tools}
    conversation = Conversation(name, lambda: ChildStream(home), STEP_SECONDS)
    return AgentHost(conversation, wanted)


class ChildStream:
    """See ``blocks.hosts.conversation.Stream``; the child ends when its input does."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        with (home / "door.log").open("ab") as complaints:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(DOOR), str(home)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                bufsize=0,
                start_new_session=True,
            )
        self._log = home / "door.log"
        assert self._child.stdin is not None  # it is a pipe
        os.set_blocking(self._child.stdin.fileno(), False)

    def send(self, block: bytes, limit_seconds: float) -> None:
        assert self._child.stdin is not None  # it is a pipe
        rest = memoryview(block)
        while rest:
            _, ready, _ = select.select([], [self._child.stdin], [], limit_seconds)
            if not ready:
                raise TimeoutError(f"nothing was taken within {limit_seconds:g} s")
            rest = rest[os.write(self._child.stdin.fileno(), rest) :]

    def receive(self, limit_seconds: float) -> bytes:
        assert self._child.stdout is not None  # it is a pipe
        ready, _, _ = select.select([self._child.stdout], [], [], limit_seconds)
        if not ready:
            raise TimeoutError(f"no answer within {limit_seconds:g} s")
        return os.read(self._child.stdout.fileno(), READ_BYTES)

    def complaint(self) -> str:
        return self._log.read_text(errors="replace")[-1500:]

    def close(self) -> None:
        """Its input ends; what it was doing it does to the end."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
