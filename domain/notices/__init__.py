"""Notices: what people are told of a release, whom it concerns, and when they are told again."""
