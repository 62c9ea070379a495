"""Do stock and orders still agree with the marketplaces: what is checked, and what it means."""
