"""Errors that the shop's own code reports: what an error tracker knows of a release."""
