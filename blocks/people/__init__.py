"""People, their sessions and their tokens, in the ledger's PostgreSQL; no secret in clear."""

from blocks.people.people import People
from blocks.people.tokens import Tokens

__all__ = ["People", "Tokens"]
