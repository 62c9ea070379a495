"""A shop's error tracker: what its services are given, our own events, one look at a candidate."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property

import sentry_sdk
from sentry_sdk.utils import BadDsn

from blocks.incidents import PROBE, Tracker
from blocks.incidents.bugsink import Bugsink
from blocks.incidents.sentry import Sentry as SentryApi
from domain.errors import BadInput, TradewindError
from domain.incidents.judgement import Seen
from domain.incidents.release import Arm
from domain.incidents.settings import Sentry, release_name

SEND_SECONDS = 5.0


class Incidents:
    """As shop.yaml has it; references are resolved when first needed."""

    def __init__(self, settings: Sentry, shop: str, reference: Callable[[str], str]) -> None:
        self.settings = settings
        self._shop = shop
        self._reference = reference

    @cached_property
    def tracker(self) -> Tracker:
        """Raises BadInput when the token cannot be had."""
        of, token = self.settings, self._reference(self.settings.token).strip()
        if of.kind == "bugsink":
            return Bugsink(of.url, token)
        return SentryApi(of.url, of.organization, token)

    def name(self, version: str) -> str:
        return release_name(self._shop, version)

    def variables(self, service: str, version: str, environment: str) -> Mapping[str, str]:
        """By which SDKs know where to report, and as what."""
        return {
            "SENTRY_DSN": self._reference(self.settings.dsn_of(service)).strip(),
            "SENTRY_RELEASE": self.name(version),
            "SENTRY_ENVIRONMENT": environment,
        }

    def probe(self, service: str, version: str, environment: str) -> str:
        """Sends an event of our own as the service would; answers its id, "" if it was not taken.

        Raises BadInput when the DSN is none.
        """
        named = self.variables(service, version, environment)
        try:
            client = sentry_sdk.Client(
                dsn=named["SENTRY_DSN"], release=named["SENTRY_RELEASE"], environment=environment,
                default_integrations=False, auto_enabling_integrations=False,
                send_client_reports=False,
            )  # fmt: skip
        except BadDsn as error:
            raise BadInput(f"sentry.dsn of {service} is no DSN: {error}") from error
        told = {"level": "info", "message": PROBE, "fingerprint": [PROBE]}
        sent = client.capture_event({**told, "tags": {"service": service}})  # type: ignore[typeddict-item]
        client.close(timeout=SEND_SECONDS)
        return sent or ""

    def arrived(self, service: str, event: str) -> bool:
        return bool(event) and self.tracker.has(self.settings.project_of(service), event)

    def look(self, candidate: Arm, baseline: Arm) -> Seen:
        """What is known of both arms now; a tracker that does not answer is a ``problem``."""
        try:
            return Seen(
                self.tracker.new_issues(candidate),
                self.tracker.error_events(candidate),
                self.tracker.error_events(baseline),
            )
        except TradewindError as error:
            return Seen(problem=str(error))

    def arm(self, service: str, version: str, environment: str, since: datetime) -> Arm:
        project = self.settings.project_of(service)
        return Arm(project, self.name(version), environment, since)

    def page(self, version: str) -> str:
        """Where people see a version's errors."""
        return self.tracker.page(self.settings.project, self.name(version))
