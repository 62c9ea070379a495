"""A small real shop, its customers, and the marketplace they buy on."""
