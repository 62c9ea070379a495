"""Cells of CSV files: no text of others is taken for a formula by a spreadsheet."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """
    >>> [harmless(text) for text in ("=A1", "-2", "-2.5", "-A1", "tea")]
    ["'=A1", '-2', '-2.5', "'-A1", 'tea']
    """
    number = cell.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{cell}" if cell.startswith(FORMULA) and not number else cell
