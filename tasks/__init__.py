"""One step each, retried and named in the Prefect UI."""
