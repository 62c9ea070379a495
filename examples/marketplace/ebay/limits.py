"""What an app may still ask today, to the app's own token.

Source: https://developer.ebay.com/api-docs/developer/analytics/resources/rate_limit/methods/getRateLimits
"""

from datetime import timedelta
from typing import Any

from examples.marketplace.ebay.login import APPS
from examples.marketplace.ebay.operation import CALLS_A_DAY, DAY_SECONDS, Asked, Operation, text
from examples.marketplace.market import Market


def limits(market: Market, asked: Asked) -> dict[str, Any]:
    wanted = asked.query.get("api_context", "").lower(), asked.query.get("api_name", "").lower()
    found = []
    for resource in CALLS_A_DAY:
        context, _, name = resource.partition(".")
        if wanted[0] in ("", context) and wanted[1] in ("", name):
            rates = {"name": resource, "rates": [_rate(market, resource)]}
            found.append({
                "apiContext": context, "apiName": name.title(), "apiVersion": "v1",
                "resources": [rates],
            })  # fmt: skip
    return {"rateLimits": found}


def _rate(market: Market, resource: str) -> dict[str, Any]:
    bucket = market.buckets.get(resource)
    limit = round(CALLS_A_DAY[resource] * market.pace)
    left = limit if bucket is None else int(bucket.left)
    return {
        "count": limit - left,
        "limit": limit,
        "remaining": left,
        "reset": text(market.now() + timedelta(seconds=DAY_SECONDS)),
        "timeWindow": DAY_SECONDS,
    }


OPERATIONS = (
    Operation(
        "GET", "/developer/analytics/v1_beta/rate_limit/", "developer.analytics", limits, APPS,
        parameters={"api_context": {"type": "string"}, "api_name": {"type": "string"}},
    ),
)  # fmt: skip
