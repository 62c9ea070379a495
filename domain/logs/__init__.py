"""Log lines in the Elastic Common Schema's words: what each has, and where they go."""
