"""Two texts of one specification, and what the way between them means for the client."""

from blocks.channels import shopify_documents
from blocks.contracts import graphql
from blocks.contracts.documents import Documents
from blocks.contracts.published import understood
from domain.contracts.facts import facts_of
from domain.contracts.findings import Found
from domain.contracts.judgement import findings
from domain.contracts.surface import Surface

SHOPIFY = Documents(
    {name: getattr(shopify_documents, name) for name in shopify_documents.SAMPLES},
    shopify_documents.SAMPLES,
)


def compared(surface: Surface, before: bytes | None, after: bytes) -> tuple[Found, ...]:
    """From ``before`` (None the first time) to ``after``; BadInput when one is no specification."""
    old = None if before is None else understood(before, "the specification agreed with last")
    new = understood(after, "the specification")
    if not surface.documents:
        return findings(None if old is None else facts_of(old), facts_of(new), surface)
    schema = None if old is None else graphql.schema_of(old)
    return graphql.findings(schema, graphql.schema_of(new), SHOPIFY, surface)
