"""One outside system each: its fields, its secrets, and a few verbs in our language."""
