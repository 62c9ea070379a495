"""The sample shop as a real git repository, with its next versions as branches."""

import shutil
import subprocess
from pathlib import Path

SHOP = Path(__file__).parent / "shop"
WHO = ("-c", "user.name=Sample shop", "-c", "user.email=shop@example.com")


class SampleRepository:
    """In ``folder``, made where it is missing: ``main`` is the shop as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        not_of_the_shop = shutil.ignore_patterns("changes", "__pycache__", ".tradewind")
        shutil.copytree(SHOP, folder, ignore=not_of_the_shop, dirs_exist_ok=True)
        (folder / ".gitignore").write_text("__pycache__/\n.tradewind/\n")
        self._git("init", "--quiet", "--initial-branch", "main")
        self.commit("The shop")

    def branch(self, name: str, change: str) -> str:
        """A branch from ``main`` with one of the changes on top; answers its name."""
        self.branch_off(name)
        self.apply(change)
        return name

    def branch_off(self, name: str) -> None:
        """A branch from ``main``, with nothing on top yet."""
        self.switch("main")
        self._git("switch", "--quiet", "--create", name)

    def switch(self, name: str) -> None:
        self._git("switch", "--quiet", name)

    def merge(self, name: str) -> None:
        """``main`` goes on to a branch."""
        self.switch("main")
        self._git("merge", "--quiet", "--ff-only", name)

    def apply(self, change: str) -> None:
        """Commits the patch whose name begins with ``change`` onto what is checked out."""
        (patch,) = (SHOP / "changes").glob(f"{change}-*.patch")
        self._git("apply", "--index", str(patch))
        self.commit(patch.stem)

    def commit(self, subject: str) -> None:
        self._git("add", "--all")
        self._git(*WHO, "commit", "--quiet", "--message", subject)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *arguments], check=True)
