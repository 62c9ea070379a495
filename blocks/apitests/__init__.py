"""API tests: runners of their own, kept apart from the services, against one candidate."""
