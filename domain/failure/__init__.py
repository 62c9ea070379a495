"""A release that ended badly, explained: its cause, what was restored, what to do first."""
