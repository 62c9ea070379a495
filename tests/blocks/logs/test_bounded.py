"""What a gate writes is kept within a bound: its beginning, its end, and how much is missing."""

import re
import resource
import sys
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from blocks.commands import run
from blocks.redaction import learn
from blocks.redaction.bounded import MOST_BYTES, Bounded
from tests.blocks.logs.test_outputs import CHATTY

CHATTER_MB = 150
"""Nine times what is kept; a gigabyte takes as many seconds more, and no more memory."""


def test_a_gate_that_writes_a_lot_is_survived_in_bounded_memory_and_disk(tmp_path: Path) -> None:
    learn("planted-secret-of-the-gate")
    code = CHATTY.format(letter="g", mb=CHATTER_MB) + "print('planted-secret-of-the-gate')\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    ran = run([sys.executable, "-c", code], tmp_path / "log", 240)

    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    content = (tmp_path / "log").read_bytes()
    assert ran.exit_code == 0
    assert len(content) <= MOST_BYTES + 200
    assert grown_kb < 80_000
    assert content.startswith(b"begins\n")
    assert content.endswith(b"ends\n***\n")
    assert b"bytes are left out here" in content


@example([bytes([number]) * 399 for number in range(40)], 400)
@given(st.lists(st.binary(max_size=400), max_size=40), st.integers(400, 2000))
def test_whatever_is_written_the_bytes_add_up(writes: list[bytes], most: int) -> None:
    with tempfile.TemporaryFile() as file:
        bounded = Bounded(file, most)  # type: ignore[arg-type]
        for one in writes:
            bounded.write(one)
        file.seek(0)
        content = file.read()

    whole = b"".join(writes)
    assert len(content) <= most + 400
    note = re.search("\n… (\\d+) bytes are left out here …\n".encode(), content)
    if len(whole) <= most:
        assert content == whole
        return
    assert note is not None
    head, tail = content[: note.start()], content[note.end() :]
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head) + len(tail) + int(note[1]) == len(whole)
