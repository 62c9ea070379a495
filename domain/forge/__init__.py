"""The forge that keeps the shop's code: its events, what it is told, and what it is asked."""
