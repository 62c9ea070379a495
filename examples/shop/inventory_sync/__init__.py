"""Keeps the marketplace stocked from the warehouse."""
