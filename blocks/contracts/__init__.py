"""Contracts: specifications and feeds as they are published, and what was seen of them last."""
