"""Forges: what each is asked and told, by bounded calls, and how its messages are proven."""

import hmac
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from typing import Any, ParamSpec, Protocol, TypeVar
from urllib.parse import quote

import httpx

from domain.errors import BadInput, Refused, Unavailable
from domain.forge.protection import Branch, Reviewed
from domain.forge.rules import Change
from domain.forge.settings import Forge
from domain.forge.statuses import Status

LIMIT_SECONDS, ALL_SECONDS = 5.0, 20.0
"""For one attempt, and for a call with all its attempts and pauses."""
ATTEMPTS, PAUSE_SECONDS = 4, 0.5
MOST_PAGES, PAGE = 10, 100
MOST_BYTES = 20_000_000
LEAST_SECRET = 16
WORTH_ANOTHER = (408, 425, 429)
Headers = Mapping[str, str]
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class ForgeClient(Protocol):
    """Raises Unavailable when the forge does not answer, Refused when it says no."""

    def change(self, number: int) -> Change:
        """A pull or merge request as it is now."""
        ...

    def may_write(self, login: str) -> bool: ...

    def branch(self, name: str, commit: str) -> Branch:
        """Whether it is protected and has ``commit``; one that is not there is and has nothing."""
        ...

    def has(self, newer: str, older: str) -> bool:
        """Whether ``older`` is ``newer`` or an ancestor of it."""
        ...

    def reviews(self, commit: str, branches: Sequence[str]) -> tuple[Reviewed, ...]:
        """The changes by which the commit was merged into one of the branches."""
        ...

    def checks(self, commit: str) -> dict[str, str]:
        """Each check's state on this commit; "success" only where all of that name succeeded."""
        ...

    def tell(self, status: Status) -> None:
        """A commit status, and a deployment where the forge knows them; again changes nothing."""
        ...


@dataclass(frozen=True)
class Connected:
    """A forge as shop.yaml has it, its client, and the branch that releases are usually made of."""

    settings: Forge
    client: ForgeClient
    branch: str


def understood(verb: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """An answer of another shape than the official one is no answer: Unavailable."""

    @wraps(verb)
    def asking(*given: Asked.args, **named: Asked.kwargs) -> Answer:
        try:
            return verb(*given, **named)
        except (LookupError, TypeError, AttributeError) as error:
            said = f"{type(error).__name__}: {error}"
            raise Unavailable(
                f"the answer to {verb.__name__!r} has another shape: {said}"
            ) from error

    return asking


@dataclass(frozen=True)
class Proof:
    """What proves a delivery: its headers (lower case), its raw bytes, the active secrets."""

    headers: Headers
    body: bytes
    secrets: tuple[str, ...]
    now_seconds: float

    def usable(self) -> tuple[bytes, ...]:
        """A short secret proves nothing: it is never used."""
        return tuple(one.encode() for one in self.secrets if len(one) >= LEAST_SECRET)


@dataclass(frozen=True)
class Delivery:
    """A proven message: the event's name, its id, and the key that its run is known by."""

    event: str
    id: str
    key: str


def signed_in_hex(proof: Proof, signature: str) -> bool:
    """HMAC-SHA256 over the raw bytes, by any of the secrets; all are compared, in equal time."""
    made = [hmac.new(one, proof.body, sha256).hexdigest() for one in proof.usable()]
    matching = [hmac.compare_digest(one.encode(), signature.encode()) for one in made]
    return any(matching)


def key_of_body(body: bytes) -> str:
    """Where the signature covers the body only, the body is the key: an id can be exchanged."""
    return sha256(body).hexdigest()


@dataclass
class Calls:
    """The way to one forge; nothing else in a client sends anything. Redirects are not followed."""

    http: httpx.Client
    name: str
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    all_seconds: float = ALL_SECONDS

    def get(self, path: str, **parameters: str | int) -> Any:
        return _json(self.ask("GET", path, parameters=parameters))

    def found(self, path: str, **parameters: str | int) -> Any:
        """As ``get``; None where there is no such thing."""
        answer = self._lasting("GET", path, parameters, None)
        return None if answer.status_code == 404 else _json(self._good(answer))

    def pages(self, path: str, **parameters: str | int) -> Iterator[Any]:
        """Page by page; Unavailable beyond the most, as what was not read is not known."""
        following: tuple[str, Mapping[str, str | int]] = (path, parameters)
        for _ in range(MOST_PAGES):
            answer = self.ask("GET", following[0], parameters=following[1])
            yield _json(answer)
            url = answer.links.get("next", {}).get("url")
            if not url:
                return
            following = (self._own(url), {})
        raise Unavailable(f"{self.name}: {path} has more than {MOST_PAGES} pages")

    def ask(
        self, method: str, path: str, parameters: Mapping[str, str | int] | None = None,
        json: Any = None,
    ) -> httpx.Response:  # fmt: skip
        """The answer of 2xx. Refused for any other, Unavailable when nobody answers in time."""
        return self._good(self._lasting(method, path, parameters or {}, json))

    def _good(self, answer: httpx.Response) -> httpx.Response:
        if not answer.is_success:
            said = " ".join(answer.text.split())[:200]
            path = answer.request.url.path
            raise Refused(f"{self.name}: {path} answered {answer.status_code}: {said}")
        return answer

    def _lasting(
        self, method: str, path: str, parameters: Mapping[str, str | int], json: Any
    ) -> httpx.Response:
        deadline, said = self.now() + self.all_seconds, ""
        for attempt in range(ATTEMPTS):
            pause = PAUSE_SECONDS * 2**attempt
            try:
                request = self.http.build_request(
                    method, path, params=parameters or None, json=json
                )
                answer = self._whole(request, deadline)
                if not _worth_another(answer):
                    return answer
                said, pause = f"answered {answer.status_code}", max(pause, _told(answer))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                said = str(error) or type(error).__name__
            if attempt == ATTEMPTS - 1 or self.now() + pause + LIMIT_SECONDS > deadline:
                break
            self.pause(pause)
        raise Unavailable(f"{self.name}: {path} does not answer: {said}")

    def _whole(self, request: httpx.Request, deadline: float) -> httpx.Response:
        """Within the deadline, however slowly it comes, and not more than the most."""
        content, answer = bytearray(), self.http.send(request, stream=True)
        try:
            for part in answer.iter_raw():
                content += part
                if self.now() > deadline or len(content) > MOST_BYTES:
                    said = f"{len(content)} bytes in {self.all_seconds:g} s, and more"
                    raise Unavailable(f"{self.name}: {request.url.path} answered {said}")
        finally:
            answer.close()
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=bytes(content), request=request
        )

    def _own(self, url: str) -> str:
        """The next page is asked for with the token: it has to be at the same forge."""
        found, base = httpx.URL(url), self.http.base_url
        if (found.scheme, found.host, found.port) != (base.scheme, base.host, base.port):
            raise Refused(f"{self.name}: the next page is at {found.host}, not at {base.host}")
        return url


def calls(name: str, endpoint: str, headers: Headers) -> Calls:
    """Of a forge at ``endpoint``, its headers with the token."""
    http = httpx.Client(base_url=endpoint, headers=dict(headers), timeout=LIMIT_SECONDS)
    return Calls(http, f"{name} at {endpoint}")


def segment(text: str) -> str:
    """One segment of a path, whatever is in it: names are data. BadInput for one that leads up."""
    if text in ("", ".", ".."):
        raise BadInput(f"name is {text!r}: it cannot be part of an address")
    return quote(text, safe="")


def worst(states: Sequence[tuple[str, str]], good: str = "success") -> dict[str, str]:
    """By name; of several with one name the first that is not ``good``.

    >>> worst([("test", "success"), ("test", "failure"), ("lint", "success")])
    {'test': 'failure', 'lint': 'success'}
    """
    found: dict[str, str] = {}
    for name, state in states:
        if found.get(name, good) == good:
            found[name] = state
    return found


def _worth_another(answer: httpx.Response) -> bool:
    """GitHub says "too many" by 403, too."""
    limited = answer.status_code == 403 and (
        "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    )
    return limited or answer.status_code >= 500 or answer.status_code in WORTH_ANOTHER


def _told(answer: httpx.Response) -> float:
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if seconds.isdigit() else 0.0


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Unavailable(f"{answer.request.url.path} answered no JSON: {error}") from error
