"""The demo: five releases of the sample shop, while customers are buying."""
