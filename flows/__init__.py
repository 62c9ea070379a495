"""In which order: every flow is a table of contents."""
