"""Everything Tradewind needs on one machine, started and ended by process id."""
