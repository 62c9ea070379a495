"""Drills: what is rehearsed before it is needed, how long it may take, and what it came to."""
