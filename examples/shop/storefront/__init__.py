"""The shop on the web."""
