"""``python -m deployments.reference``: writes docs/reference anew."""

from deployments.reference import pages
from deployments.reference.page import FOLDER


def main() -> None:
    """Tells each page that became another."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        place = FOLDER / name
        if not place.exists() or place.read_text() != text:
            place.write_text(text)
            print(place.relative_to(FOLDER.parent.parent))


if __name__ == "__main__":
    main()
