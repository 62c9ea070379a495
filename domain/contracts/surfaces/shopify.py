"""What is used of Shopify's Admin GraphQL API, beside the client's documents: version and enums."""

from domain.contracts.countdown import supported_until
from domain.contracts.surface import End, Surface

VERSION = "2026-10"

ADMIN = Surface(
    channel="shopify",
    titles=("GraphQL Admin API", "Admin API"),
    documents=True,
    values={
        "OrderDisplayFinancialStatus": ("PENDING", "EXPIRED", "VOIDED"),
        "OrderDisplayFulfillmentStatus": ("FULFILLED",),
        "ProductStatus": ("ACTIVE", "UNLISTED"),
    },
    ends=(
        End(
            subject=f"API version {VERSION}",
            on=supported_until(VERSION),
            detail="is pinned; a version is served for 12 months, then another answers silently",
        ),
    ),
)
