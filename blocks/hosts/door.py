"""The only command that Tradewind's key may run on a host: ``python3 -I -S door.py HOME``.

An administrator installs it once. It reads the digest and size of an agent, takes the agent if HOME
lacks it and it is what its digest says, and then becomes it. Standard library, Python 3.9+.
"""

import os
import sys
from pathlib import Path

MOST_BYTES = 10_000_000


def main() -> None:
    home = Path(sys.argv[1])
    digest, _, size = read_line().strip().partition(" ")
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef") or not size.isdigit():
        sys.exit(f"an agent is {digest[:80]!r}, {size[:20]!r}: 64 hexadecimal digits and a size")
    place = home / "agents" / digest
    if not place.exists():
        say("send")
        unpack(place, digest, read_bytes(min(int(size), MOST_BYTES)))
    point(home / "agent", place)
    say("ready")
    sys.path.insert(0, str(place))
    sys.argv = [str(place), "serve", str(home)]
    from agent.main import main as become  # type: ignore[import-not-found]  # just unpacked

    become()


def say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


def read_line() -> str:
    """Byte by byte: what comes after it is the agent's."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 200:
        byte = os.read(0, 1)
        if not byte:
            sys.exit("nobody asked for anything")
        line += byte
    return line.decode()


def read_bytes(count: int) -> bytes:
    content = b""
    while len(content) < count:
        block = os.read(0, count - len(content))
        if not block:
            sys.exit(f"the agent was cut off after {len(content)} of {count} bytes")
        content += block
    return content


def unpack(place: Path, digest: str, content: bytes) -> None:
    """Complete or not at all."""
    import hashlib  # late, as an agent comes only once
    import shutil
    import zipfile

    seen = hashlib.sha256(content).hexdigest()
    if seen != digest:
        sys.exit(f"the agent is {seen[:12]}, expected {digest[:12]}")
    fresh = place.with_name(f".{digest}.{os.getpid()}")
    fresh.mkdir(parents=True, mode=0o700)
    packed = fresh / "agent.zip"
    packed.write_bytes(content)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(fresh)  # our own: the digest says so
    packed.unlink()
    try:
        fresh.rename(place)
    except OSError:  # somebody else was faster
        shutil.rmtree(fresh)


def point(link: Path, place: Path) -> None:
    """The agent that supervisord calls is the one that came last."""
    if os.path.realpath(link) == str(place.resolve()):
        return
    fresh = link.with_name(f".agent.{os.getpid()}")
    fresh.symlink_to(place.resolve())
    fresh.replace(link)


if __name__ == "__main__":
    main()
