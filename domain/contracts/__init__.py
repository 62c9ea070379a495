"""A marketplace's API as a contract: what we use of it, what changed, and what that breaks."""
