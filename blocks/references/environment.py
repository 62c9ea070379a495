"""``${env:NAME}``: a variable of the process that resolves it."""

from blocks.references.places import Places, Reference
from domain.errors import BadInput


def value(reference: Reference, places: Places) -> str:
    """Raises BadInput when the variable is not set."""
    if reference.name not in places.environment:
        raise BadInput(f"{reference}: the environment variable {reference.name} is not set")
    return places.environment[reference.name]
