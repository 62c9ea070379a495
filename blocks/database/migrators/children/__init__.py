"""Programs for the service's own environment, importing its Alembic or Django and none of ours."""
