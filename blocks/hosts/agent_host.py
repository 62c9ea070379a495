"""A host behind its agent, wherever it is: the verbs of ``blocks.hosts.Host``."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blocks.hosts import Parcel
from blocks.hosts.bundle import bundle
from blocks.hosts.conversation import Conversation
from domain.host import Counts, Facts, Observed, Output, Running, Served, Unit
from domain.shop import MOST_STOP_SECONDS

BLOCK_BYTES = 1 << 18


class AgentHost:
    """See ``blocks.hosts.Host``; ``tools`` are the programs that the host should use."""

    def __init__(self, conversation: Conversation, tools: Mapping[str, str]) -> None:
        self.name = conversation.name
        self._ask = conversation.ask
        self._conversation = conversation
        self._tools = dict(tools)

    def prepare(self) -> None:
        self._do("prepare", tools=self._tools)

    def place(self, parcel: Parcel, epoch: int) -> int:
        """The artifact or image is there; answers the bytes that had to be sent.

        After a cut the next call goes on where this one stopped.
        """
        if parcel.reference:
            where = {"image": parcel.image, "reference": parcel.reference}
            self._do("pull", **where, auth=dict(parcel.account), epoch=epoch)
            return 0
        missing = self._missing(parcel)
        return self._send(parcel, missing, epoch) if missing else 0

    def _missing(self, parcel: Parcel) -> dict[str, int]:
        asked = {"digest": parcel.digest, "listing": parcel.listing, "image": parcel.image}
        found = self._do("lacks", **asked)
        missing: dict[str, int] = found["missing"]
        if parcel.image and not found["here"] and not missing:
            return {"": 0}  # every layer is there, the image itself is not yet
        return missing

    def _send(self, parcel: Parcel, missing: Mapping[str, int], epoch: int) -> int:
        sizes = {_name(file): int(file[2]) for file in parcel.listing["files"]}
        coming = [[name, offset, sizes[name]] for name, offset in missing.items() if name]
        asked = {"digest": parcel.digest, "listing": parcel.listing, "image": parcel.image}
        content = Content(parcel.pieces, coming)
        told = self._ask("receive", {**asked, "coming": coming, "epoch": epoch}, content)
        return int(told["received_bytes"])

    def start(self, unit: Unit, role: str, epoch: int) -> None:
        self._do("start", unit=asdict(unit), role=role, epoch=epoch)

    def health(self, unit: str, path: str, limit_seconds: float) -> None:
        self._do("health", unit=unit, path=path, limit_seconds=limit_seconds)

    def smoke(self, service: str, version: str, paths: tuple[str, ...]) -> dict[str, int]:
        return self._do("smoke", service=service, version=version, paths=paths)

    def forward(self, service: str, version: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request to one version through the proxy: method, path, headers, body as base64."""
        return self._do("forward", service=service, version=version, **request)

    def route(self, service: str, weights: Mapping[str, int], epoch: int) -> int:
        """Answers the cursor from which ``counts`` sees only what came afterwards."""
        told = self._do("route", service=service, weights=dict(weights), epoch=epoch)
        return int(told["cursor"])

    def counts(self, service: str, cursor: int, slow_ms: float) -> Counts:
        found = self._do("counts", service=service, cursor=cursor, slow_ms=slow_ms)
        arms = {version: Served(**arm) for version, arm in found["arms"].items()}
        return Counts(found["cursor"], arms)

    def drain(self, service: str, version: str, limit_seconds: float) -> None:
        self._do("drain", service=service, version=version, limit_seconds=limit_seconds)

    def role(self, unit: str, role: str, epoch: int) -> dict[str, Any]:
        return self._do("role", unit=unit, role=role, epoch=epoch)

    def ask(self, unit: str, path: str) -> dict[str, Any]:
        return self._do("ask", unit=unit, path=path)

    def run(self, service: str, at: str, limit_seconds: float) -> dict[str, Any]:
        """Begins a job's run of one time, ISO 8601, or finds it begun; answers its record."""
        return self._ask("run", {"service": service, "at": at, "job_seconds": limit_seconds})

    def run_state(self, service: str, at: str) -> dict[str, Any]:
        return self._do("run_state", service=service, at=at)

    def kill(self, unit: str, epoch: int) -> None:
        """An outage on purpose: it dies at once, as in a crash."""
        self._do("kill", unit=unit, epoch=epoch)

    def retire(self, unit: str, epoch: int) -> bool:
        """False when it was not there, or is a job that still runs."""
        asked = {"unit": unit, "epoch": epoch, "limit_seconds": MOST_STOP_SECONDS}
        return bool(self._do("retire", **asked)["retired"])

    def prune(self, epoch: int) -> None:
        self._do("prune", epoch=epoch)

    def outputs(self, version: str) -> tuple[str, ...]:
        """Whose output it has: its agent's, and that of units of a version ("": of every)."""
        return tuple(self._do("outputs", version=version)["names"])

    def output(self, name: str, cursor: Any, most_bytes: int) -> Output:
        """Lines after ``cursor`` (None: the oldest that is kept), at most so many bytes of them."""
        found = self._do("output", name=name, cursor=cursor, most_bytes=most_bytes)
        lines = tuple((time, text) for time, text in found.pop("lines"))
        return Output(lines, **found)

    def observe(self) -> Observed:
        found = self._do("observe")
        units = {name: Running(**unit) for name, unit in found["units"].items()}
        return Observed(units, found["listeners"], found["epoch"])

    def facts(self) -> Facts:
        begun = time.time()
        found = self._do("facts", tools=self._tools)
        middle = (begun + time.time()) / 2
        offset = found.pop("now") - middle
        return Facts(
            self.name, **found, agent=bundle().digest[:12], clock_offset_seconds=round(offset, 3)
        )

    def shutdown(self, limit_seconds: float = 60) -> None:
        self._do("shutdown", limit_seconds=limit_seconds)
        self.close()

    def close(self) -> None:
        """Ends the connection; the next verb opens another."""
        self._conversation.close()

    def _do(self, verb: str, **asked: Any) -> dict[str, Any]:
        return self._ask(verb, asked)


class Content:
    """The bytes of pieces from their offsets on, read anew for each time they are sent."""

    def __init__(self, folder: Path, coming: list[list[Any]]) -> None:
        self._folder = folder
        self._coming = coming

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[bytes]:
        """Small pieces are gathered, so that many of them go in one block."""
        gathered = bytearray()
        for name, offset, _size in self._coming:
            with (self._folder / name.partition(".")[0]).open("rb") as file:
                file.seek(offset)
                while block := file.read(BLOCK_BYTES):
                    gathered += block
                    if len(gathered) >= BLOCK_BYTES:
                        yield bytes(gathered)
                        gathered.clear()
        if gathered:
            yield bytes(gathered)


def _name(file: list[Any]) -> str:
    """Of a file's piece on a host: executable ones are kept apart."""
    return f"{file[3]}.x" if file[1] else str(file[3])
