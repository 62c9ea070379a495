"""The shop's git repository: refs become commits, commits become folders."""

import io
import re
import subprocess
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from domain.digest import digest_of
from domain.errors import BadInput, Unavailable
from domain.incidents.release import Commit

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+~^@-]{0,199}")
LIMIT_SECONDS = 60.0


class Repository:
    """Read-only; git is always called with an argument list, never through a shell."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def resolve(self, ref: str) -> str:
        """The commit's full id. Raises BadInput for a ref that git does not know or may not see."""
        if not _REF.fullmatch(ref):
            raise BadInput(f"ref is {ref!r}: a branch, tag or commit has letters, digits and ._/+-")
        found = self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        if found.returncode:
            raise BadInput(f"ref is {ref!r}: no such branch, tag or commit in {self.path}")
        return found.stdout.decode().strip()

    def committed_at(self, commit: str) -> datetime:
        seconds = self._asked("show", "--no-patch", "--format=%ct", commit).decode().strip()
        return datetime.fromtimestamp(int(seconds), UTC)

    def subject(self, commit: str) -> str:
        return self._asked("show", "--no-patch", "--format=%s", commit).decode().strip()

    def between(self, older: str, newer: str, most: int) -> tuple[int, tuple[str, ...]]:
        """How many commits ``newer`` has that ``older`` has not; the newest ``most`` of them."""
        span = f"{older}..{newer}"
        count = int(self._asked("rev-list", "--count", span).decode())
        listed = self._asked("log", f"--max-count={most}", "--format=%h %s", span)
        return count, tuple(listed.decode(errors="replace").splitlines())

    def commits(self, older: str, newer: str, most: int) -> tuple[Commit, ...]:
        """At most ``most`` that ``newer`` has and ``older`` lacks, newest first; "" lacks all."""
        span = f"{older}..{newer}" if older else newer
        form = "--format=%H%x00%B%x00%an%x00%ae%x00%ct%x00"
        listed = self._asked("log", f"--max-count={most}", "-z", form, "--end-of-options", span)
        fields = listed.decode(errors="replace").split("\0")
        rows = [fields[start : start + 6] for start in range(0, len(fields) - 5, 6)]
        return tuple(_commit(*row[:5]) for row in rows)

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self._git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def tree_digest(self, commit: str, paths: Sequence[str]) -> str:
        """A digest of the content of ``paths``: the same files give the same in any commit."""
        listed = self._asked("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
        return digest_of(listed.decode())

    def export(self, commit: str, paths: Sequence[str], into: Path) -> None:
        """Writes ``paths`` as of ``commit``. Raises BadInput naming one that is not there."""
        known = self._asked("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        names = known.decode().split("\0")
        for path in paths:
            if not any(name == path or name.startswith(f"{path}/") for name in names):
                raise BadInput(f"paths has {path!r}: not in commit {commit[:10]}")
        archive = self._asked("archive", "--format=tar", commit, "--", *paths)
        into.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                _stays_inside(member, into)
                tar.extract(member, into)

    def _asked(self, *arguments: str) -> bytes:
        answer = self._git(*arguments)
        if answer.returncode:
            error = answer.stderr.decode(errors="replace").strip()
            raise Unavailable(f"git {arguments[0]} in {self.path}: {error}")
        return answer.stdout

    def _git(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        command = ["git", "-c", "safe.directory=*", "-C", str(self.path), *arguments]
        try:
            return subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"git {arguments[0]} in {self.path}: {error}") from error


def _commit(key: str, message: str, name: str, email: str, seconds: str) -> Commit:
    return Commit(key, message.strip(), name, email, datetime.fromtimestamp(int(seconds), UTC))


def _stays_inside(member: tarfile.TarInfo, into: Path) -> None:
    """Raises BadInput for a link that leads out. Python 3.11.2 has no ``filter`` for this yet."""
    place = (into / member.name).parent.resolve()
    target = (place / (member.linkname if member.issym() else Path(member.name).name)).resolve()
    if not all(path.is_relative_to(into.resolve()) for path in (place, target)):
        raise BadInput(
            f"{member.name} is a link to {member.linkname!r}: it leads out of the commit"
        )
