"""Errors go to an error tracker, where SENTRY_DSN names one; elsewhere nothing is sent."""

import os

import sentry_sdk


def report(service):
    """From here on; release and environment are those that SENTRY_* say."""
    if os.environ.get("SENTRY_DSN"):
        sentry_sdk.init(send_default_pii=False)
        sentry_sdk.set_tag("service", service)


def caught(error):
    """One that was answered in place: nobody would hear of it otherwise."""
    sentry_sdk.capture_exception(error)
