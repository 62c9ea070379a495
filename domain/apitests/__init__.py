"""API tests: what a service declares, what the runners found, and the page people read."""
