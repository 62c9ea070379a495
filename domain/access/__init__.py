"""Who may do what: roles, people, and what of Prefect's API passes the gateway."""
