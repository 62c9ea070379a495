"""Approving: who has to say yes to a release into an environment, and whose yes counts."""
