"""What shop.yaml may say of an error tracker."""

from dataclasses import replace

import pytest

from domain.incidents.settings import Sentry, objections

SENTRY = Sentry("sentry", "https://sentry.example.com", "shop", "token", "dsn", "acme")
BUGSINK = Sentry("bugsink", "http://127.0.0.1:8000", "1", "token", "dsn")


def said(sentry: Sentry) -> list[str]:
    return [sentence for _, sentence in objections(sentry, ("web", "jobs"), ("production",))]


def test_both_kinds_are_fine_as_they_are_meant() -> None:
    assert said(SENTRY) == said(BUGSINK) == []


@pytest.mark.parametrize(
    ("sentry", "sentence"),
    [
        (replace(SENTRY, url="http://sentry.example.com"), "an https:// address without a login"),
        (replace(SENTRY, organization=""), "sentry.organization is empty"),
        (replace(BUGSINK, organization="acme"), "Bugsink has none"),
        (replace(BUGSINK, project="shop"), "a project's number is needed"),
        (replace(SENTRY, environments=("nowhere",)), "has 'nowhere', known are production"),
        (replace(SENTRY, projects={"web": "x"}), "only one of projects.web and dsns.web"),
        (replace(SENTRY, dsns={"other": "x"}), "has 'other', known are web, jobs"),
    ],
)
def test_what_does_not_agree_is_named(sentry: Sentry, sentence: str) -> None:
    assert sentence in " ".join(said(sentry))


def test_a_service_may_have_a_project_of_its_own() -> None:
    own = replace(SENTRY, projects={"jobs": "workers"}, dsns={"jobs": "another dsn"})

    assert said(own) == []
    assert (own.project_of("jobs"), own.dsn_of("jobs")) == ("workers", "another dsn")
    assert (own.project_of("web"), own.dsn_of("web")) == ("shop", "dsn")


def test_it_is_a_gate_everywhere_unless_environments_are_named() -> None:
    assert SENTRY.guards("staging")
    assert not replace(SENTRY, environments=("production",)).guards("staging")
