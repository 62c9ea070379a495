"""Days until something ends: the thresholds people are told of, and the rules of versions."""

from datetime import date

THRESHOLDS = (30, 90, 180)
OVERDUE = 0


def due(on: date, today: date) -> int | None:
    """The threshold that the days left have reached: 180, 90 or 30; OVERDUE from ``on`` itself.

    >>> [due(date(2027, 3, 27), day) for day in (date(2026, 11, 25), date(2027, 3, 27))]
    [180, 0]
    """
    left = (on - today).days
    if left <= 0:
        return OVERDUE
    return next((days for days in THRESHOLDS if left <= days), None)


def supported_until(version: str) -> date:
    """Shopify's versions are released on the first of their month and live at least 12 months.

    Source: https://shopify.dev/docs/api/usage/versioning

    >>> supported_until("2026-10")
    datetime.date(2027, 10, 1)
    """
    year, month = version.split("-")
    return date(int(year) + 1, int(month), 1)
