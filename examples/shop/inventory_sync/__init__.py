"""Keeps the marketplaces stocked from the warehouse."""
