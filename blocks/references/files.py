"""``${file:PATH}``: a file in the state folder, without the line's end."""

from pathlib import Path

from blocks.references.places import Places, Reference
from domain.errors import BadInput


def value(reference: Reference, places: Places) -> str:
    """Raises BadInput for a path that leads outside, or to no text."""
    return text(reference, inside(reference, places.folder, reference.name)).rstrip("\n")


def inside(reference: Reference, folder: Path, name: str) -> Path:
    """The file ``name`` of ``folder``; BadInput when that is somewhere else."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadInput(f"{reference} leads outside of {folder}")
    return path


def text(reference: Reference, path: Path) -> str:
    """Raises BadInput, without what is in it, for a file that cannot be read."""
    try:
        return path.read_text()
    except OSError as error:
        raise BadInput(f"{reference}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise BadInput(f"{reference}: {path} cannot be read: it is no text in UTF-8") from None
