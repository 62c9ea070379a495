"""What whoever opens Tradewind sees in a minute: facts, what needs a person, and pictures."""
