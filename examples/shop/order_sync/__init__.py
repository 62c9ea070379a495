"""Brings the marketplace's orders into the shop."""
