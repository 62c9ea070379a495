"""What ``shop.yaml`` says of API tests: Postman collections and an OpenAPI document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from domain.fields import STRICT, Range, Seconds

Phase = Literal["examples", "coverage", "fuzzing", "stateful"]
Check = Literal[
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
]
ANSWERS: tuple[Check, ...] = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""The checks of answers: what a client that keeps to the document relies on."""


@dataclass(frozen=True)
class Collection:
    """A Postman collection in the repository, run by Newman; ``baseUrl`` is the candidate's.

    ``environment`` is a Postman environment beside it, whose values ``variables`` replace;
    with ``bail`` the first failure ends it. One that is ``read_only`` sends GET and HEAD alone.
    """

    __pydantic_config__ = STRICT
    path: str
    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: Seconds = 120
    bail: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class OpenApi:
    """An OpenAPI document, held against the candidate by schemathesis.

    ``at`` is a path in the repository, or on the service where it begins with /. ``exclude`` are
    paths of the document, and ``headers`` go with every request.
    """

    __pydantic_config__ = STRICT
    at: str
    phases: tuple[Phase, ...] = ("examples", "coverage", "fuzzing")
    checks: tuple[Check, ...] = ANSWERS
    max_examples: Annotated[int, Range(1, 10_000)] = 20
    seed: Annotated[int, Range(0, 4_294_967_295)] = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    timeout_seconds: Seconds = 120


@dataclass(frozen=True)
class ApiTests:
    """What a candidate has to pass before it gets anybody.

    In the last environment only with ``also_in_production``: collections that are ``read_only``,
    and of the document GET alone.
    """

    __pydantic_config__ = STRICT
    postman: tuple[Collection, ...] = ()
    openapi: OpenApi | None = None
    also_in_production: bool = False

    @property
    def empty(self) -> bool:
        return not self.postman and self.openapi is None

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the repository that running them takes."""
        openapi = [self.openapi.at] if self.openapi and not self.openapi.at.startswith("/") else []
        named = [path for one in self.postman for path in (one.path, one.environment) if path]
        return (*named, *openapi)

    def allowed(self, last: bool) -> "ApiTests":
        """What may be run in an environment, the ``last`` one having customers.

        >>> ApiTests((Collection("buy.json"), Collection("look.json", read_only=True)),
        ...     also_in_production=True).allowed(last=True).files
        ('look.json',)
        """
        if not last:
            return self
        if not self.also_in_production:
            return ApiTests()
        return replace(self, postman=tuple(one for one in self.postman if one.read_only))


def objections(api: ApiTests) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with where it is below ``api``: field, value, limit."""
    if api.empty:
        yield (), "api names neither postman nor openapi: at least one is needed"
    if api.also_in_production and not api.empty and api.allowed(last=True).empty:
        yield (
            ("also_in_production",),
            "api.also_in_production is true, no collection is read_only: nothing can run there",
        )
    for path in api.files:
        if path.startswith("/") or ".." in path.split("/"):
            yield (), f"api has the path {path!r}: it must lie inside the repository"
    for number, one in enumerate(api.postman):
        if not one.path:
            yield ("postman", str(number), "path"), f"api.postman.{number}.path is empty"
    if api.openapi:
        yield from _of_document(api.openapi)


def _of_document(document: OpenApi) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in ("at", "phases", "checks"):
        if not getattr(document, name):
            yield ("openapi", name), f"api.openapi.{name} is empty: at least one is needed"
    for path in document.exclude:
        if not path.startswith("/"):
            yield (
                ("openapi", "exclude"),
                f"api.openapi.exclude has {path!r}: a path of the document begins with /",
            )
