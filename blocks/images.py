"""Container images: built once from a commit, pushed by digest, or taken apart for the hosts."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3
from docker import APIClient
from docker.errors import APIError, BuildError, DockerException, ImageNotFound

from blocks.artifacts import digest_of_file
from blocks.hosts import Parcel
from blocks.layers import taken_apart
from domain.digest import digest_of
from domain.errors import BadInput, Failed, Refused, Unavailable

LABEL = "org.tradewind"
OCI = "org.opencontainers.image"
BUILD_SECONDS, PUSH_SECONDS, CALL_SECONDS = 1800.0, 900.0, 60.0
TAIL_LINES = 60
NO_CREDENTIALS = ("unauthorized", "denied", "no basic auth credentials", "authentication required")


@dataclass(frozen=True)
class RegistryAccount:
    """``address`` is HOST[:PORT][/PATH]; the secrets are resolved."""

    address: str
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def login(self) -> dict[str, str]:
        """What the engine is told with each call; {} where nobody has to log in."""
        if not self.username:
            return {}
        return {"username": self.username, "password": self.password}


@dataclass(frozen=True)
class ImageIngredients:
    """What goes in: the exported ``folder`` with the Dockerfile in it, by whose commit and when.

    ``source_digest`` stands for everything in the folder.
    """

    service: str
    version: str
    release: str
    commit: str
    committed_at: datetime
    folder: Path
    dockerfile: str
    arguments: Mapping[str, str]
    source_digest: str

    @property
    def source(self) -> str:
        """The digest of all that decides what the image is."""
        return digest_of([self.source_digest, self.dockerfile, dict(self.arguments)])

    @property
    def labels(self) -> dict[str, str]:
        own = ("service", "version", "release", "commit", "source")
        return {
            **{f"{LABEL}.{name}": str(getattr(self, name)) for name in own},
            f"{OCI}.title": self.service,
            f"{OCI}.version": self.version,
            f"{OCI}.revision": self.commit,
            f"{OCI}.created": self.committed_at.isoformat(),
        }


@dataclass(frozen=True)
class BuiltImage:
    """``digest`` is the image's id, ``reference`` where it is pulled from, ``size`` in bytes."""

    digest: str
    size: int
    reference: str = ""


class Images:
    """``engine`` is the address of a Unix socket; ``pieces`` is where layers are kept as files."""

    def __init__(self, engine: str, pieces: Path, registry: RegistryAccount | None = None) -> None:
        self.engine, self.pieces, self.registry = engine, pieces, registry

    def build(self, made_of: ImageIngredients, limit_seconds: float = BUILD_SECONDS) -> BuiltImage:
        """Built unless the engine has it from the same source.

        Raises Failed with the end of the output; ``limit_seconds`` bounds the whole build, and
        each silence of it.
        """
        return self._found(made_of) or self._built(made_of, limit_seconds)

    def _found(self, made_of: ImageIngredients) -> BuiltImage | None:
        wanted = {key: made_of.labels[key] for key in (f"{LABEL}.service", f"{LABEL}.source")}
        with self._client(CALL_SECONDS) as client:
            labels = [f"{key}={value}" for key, value in wanted.items()]
            found = client.images(filters={"label": labels})
        known = [BuiltImage(one["Id"], one["Size"]) for one in found]
        return min(known, key=lambda one: one.digest, default=None)

    def _built(self, made_of: ImageIngredients, limit_seconds: float) -> BuiltImage:
        name = f"tradewind/{made_of.service}:{made_of.version}"
        said: deque[str] = deque(maxlen=TAIL_LINES)
        with self._client(limit_seconds) as client, _blamed(made_of.service, said):
            lines = client.build(
                path=str(made_of.folder),
                dockerfile=_inside(made_of.folder, made_of.dockerfile),
                tag=name,
                buildargs=dict(made_of.arguments),
                labels=made_of.labels,
                rm=True,
                forcerm=True,
                timeout=limit_seconds,
                decode=True,
            )
            for line in _bounded(lines, limit_seconds):
                said.append(str(line.get("stream", "")))
                if "error" in line:
                    raise BuildError(str(line["error"]), ())
            built = client.inspect_image(name)
        return BuiltImage(built["Id"], built["Size"])

    def push(self, made_of: ImageIngredients, image: BuiltImage) -> BuiltImage:
        """The image with its reference in the registry; as it is when there is none.

        Raises Refused for credentials that the registry does not take, Unavailable when it does
        not answer.
        """
        if self.registry is None:
            return image
        repository = f"{self.registry.address}/{made_of.service}"
        told: dict[str, Any] = {}
        with self._client(PUSH_SECONDS) as client:
            client.tag(image.digest, repository, made_of.version)
            lines = client.push(
                repository,
                tag=made_of.version,
                auth_config=self.registry.login or None,
                stream=True,
                decode=True,
            )
            for line in _bounded(lines, PUSH_SECONDS):
                _refused(line, self.registry)
                told = line.get("aux") or told
        return replace(image, reference=f"{repository}@{told['Digest']}")

    def parcel(self, image: BuiltImage) -> Parcel:
        """What hosts are told or sent: the reference and the account, or the pieces.

        Raises BadInput when the engine has no such image.
        """
        if image.reference and self.registry is not None:
            account = self.registry.login
            return Parcel("", {}, self.pieces, image.digest, image.reference, account)
        with self._client(CALL_SECONDS) as client:
            try:
                layers = client.inspect_image(image.digest)["RootFS"]["Layers"]
            except ImageNotFound as error:
                raise BadInput(f"image {image.digest[:19]} is not in {self.engine}") from error
        names = [one.removeprefix("sha256:") for one in (image.digest, *layers)]
        self._take_apart(image.digest, names)
        files = [[name, False, (self.pieces / name).stat().st_size, name] for name in names]
        listing = {"files": files}
        return Parcel(digest_of(listing), listing, self.pieces, image.digest)

    def _take_apart(self, image: str, names: list[str]) -> None:
        """Every piece is there, whole: what is not comes out of the engine, once."""
        self.pieces.mkdir(parents=True, exist_ok=True)
        lacking = frozenset(name for name in names if digest_of_file(self.pieces / name) != name)
        if not lacking:
            return
        with self._client(CALL_SECONDS) as client:
            left = taken_apart(client.get_image(image), self.pieces, lacking)
        if left:
            raise Failed(f"{self.engine} gave {image[:19]} without {len(left)} of its layers")

    @contextmanager
    def _client(self, limit_seconds: float) -> Iterator[APIClient]:
        """Raises Unavailable when the engine does not answer, Failed when it says no."""
        try:
            client = APIClient(self.engine, version="auto", timeout=limit_seconds)
        except DockerException as error:
            raise Unavailable(f"engine {self.engine}: {error}") from error
        try:
            yield client
        except APIError as error:
            raise Failed(f"engine {self.engine}: {error.explanation}") from error
        except (OSError, urllib3.exceptions.HTTPError, DockerException) as error:
            raise Unavailable(f"engine {self.engine}: {error}") from error
        finally:
            client.close()


@contextmanager
def _blamed(service: str, said: Iterable[str]) -> Iterator[None]:
    """A build that fails or does not end is told with the end of its output."""
    try:
        yield
    except (BuildError, APIError, TimeoutError, urllib3.exceptions.TimeoutError) as error:
        output = "".join(said).strip()
        raise Failed(f"the image of {service} does not build: {error}\n{output}") from error


def _inside(folder: Path, dockerfile: str) -> str:
    place = (folder / dockerfile).resolve()
    if not (place.is_relative_to(folder.resolve()) and place.is_file()):
        raise BadInput(f"image.dockerfile is {dockerfile!r}: no such file in the commit")
    return dockerfile


def _bounded(lines: Iterator[dict[str, Any]], limit_seconds: float) -> Iterator[dict[str, Any]]:
    """Raises TimeoutError when they do not end in time."""
    deadline = time.monotonic() + limit_seconds
    for line in lines:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no end within {limit_seconds:g} s")
        yield line


def _refused(line: Mapping[str, Any], registry: RegistryAccount) -> None:
    """Raises what an error line of a push means."""
    if "error" not in line:
        return
    why = f"registry {registry.address}: {line['error']}"
    if any(word in why.lower() for word in NO_CREDENTIALS):
        raise Refused(why)
    raise Unavailable(why)
