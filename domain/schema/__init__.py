"""What a schema change is, what may be done about it, and what people read of it."""
