"""The calendar of promotions: what freezes which channel when, and what may still ship."""
