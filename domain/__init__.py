"""Pure rules: plans, policies, verdicts. Standard library only, no clock, no I/O."""
