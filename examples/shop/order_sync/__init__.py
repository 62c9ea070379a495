"""Brings the marketplaces' orders into the shop."""
