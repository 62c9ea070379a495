"""The pages of docs/reference, made from the code itself, so that they cannot be wrong."""

from collections.abc import Callable, Mapping

from deployments.reference.api import api
from deployments.reference.blocks import blocks
from deployments.reference.checks import checks
from deployments.reference.cli import cli
from deployments.reference.flows import flows
from deployments.reference.shop_yaml import shop_yaml

__all__ = ["PAGES", "pages"]

PAGES: Mapping[str, Callable[[], str]] = {
    "shop-yaml.md": shop_yaml,
    "cli.md": cli,
    "api.md": api,
    "checks.md": checks,
    "blocks.md": blocks,
    "flows.md": flows,
}
"""By the name of the file."""


def pages() -> dict[str, str]:
    """Every page's Markdown by the name of its file; the same code gives the same text."""
    return {name: page() for name, page in PAGES.items()}
