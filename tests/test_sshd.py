"""The stand-ins for a fleet and for a bad network do what tests rely on."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cut import Cut
from tests.sshd import Fleet, Sshd, require_sshd


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    require_sshd()
    with Fleet(tmp_path / "fleet", 2, "echo {home}; cat") as made:
        yield made


def ssh(fleet: Fleet, host: Sshd, asked: str) -> subprocess.CompletedProcess[str]:
    known = fleet.folder / "known_hosts"
    if not known.exists():
        names = [f"[{one.address}]:{one.port} {one.host_key}\n" for one in fleet.hosts]
        known.write_text("".join(names))
    options = (f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "BatchMode=yes")
    return subprocess.run(
        [
            "ssh", "-F", "none", *(word for option in options for word in ("-o", option)),
            "-i", str(fleet.key), "-p", str(host.port), f"{fleet.user}@{host.address}", "whoami",
        ],
        input=asked, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def test_a_host_runs_its_one_command_whatever_is_asked(fleet: Fleet) -> None:
    ran = [ssh(fleet, host, "hello") for host in fleet.hosts]

    assert [one.stdout for one in ran] == [f"{host.home}\nhello" for host in fleet.hosts]


def test_nobody_authenticates_at_a_host_with_another_key(fleet: Fleet) -> None:
    one, other = fleet.hosts
    assert ssh(fleet, one, "").returncode == 0

    one.change_host_key()
    ran = ssh(fleet, one, "")

    assert "HOST IDENTIFICATION HAS CHANGED" in ran.stderr
    assert one.log.read_text().count("Accepted publickey") == 1
    assert one.log.read_text().count("Connection from") == 2
    assert other.log.read_text().count("Connection from") == 0


def test_a_frozen_host_answers_when_it_is_thawed(fleet: Fleet) -> None:
    host = fleet.hosts[0]
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(ssh(fleet, host, "late").stdout))

    host.pause()
    asking.start()
    asking.join(0.5)
    frozen = list(answers)
    host.resume()
    asking.join(20)

    assert frozen == []
    assert answers == [f"{host.home}\nlate"]


def test_a_stopped_host_refuses_and_comes_back(fleet: Fleet) -> None:
    host = fleet.hosts[0]

    host.stop()
    gone = ssh(fleet, host, "")
    host.start()

    assert "Connection refused" in gone.stderr
    assert ssh(fleet, host, "back").returncode == 0


@pytest.fixture
def echo() -> Iterator[tuple[Cut, list[bytes]]]:
    """A cut in front of a server that keeps what it hears and says it back."""
    heard: list[bytes] = []

    def serve(client: socket.socket) -> None:
        while chunk := client.recv(65_536):
            heard.append(chunk)
            client.sendall(chunk)

    def accept() -> None:
        for _ in range(3):
            client, _ = server.accept()
            threading.Thread(target=contained, args=(serve, client), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server, Cut(*server.getsockname()) as cut:
        threading.Thread(target=contained, args=(accept,), daemon=True).start()
        yield cut, heard
        server.shutdown(socket.SHUT_RDWR)


def contained(work: object, *ends: object) -> None:
    try:
        work(*ends)  # type: ignore[operator]
    except OSError:
        return


def read_on(client: socket.socket) -> None:
    while client.recv(10):
        continue


def through(cut: Cut) -> socket.socket:
    return socket.create_connection((cut.address, cut.port), 5)


def test_a_cut_lets_through_exactly_what_it_was_told(echo: tuple[Cut, list[bytes]]) -> None:
    cut, heard = echo
    with through(cut) as client:
        client.sendall(b"12345")
        assert client.recv(10) == b"12345"
        cut.cuts_after(3)
        client.sendall(b"abcdef")
        with pytest.raises(ConnectionResetError):
            read_on(client)

    assert cut.sent_bytes == len(b"12345abc")
    assert b"12345abc".startswith(b"".join(heard)), "a reset takes what was not read yet with it"
    cut.passes()
    with through(cut) as client:
        client.sendall(b"again")
        assert client.recv(10) == b"again"


def test_a_lost_answer_was_heard_all_the_same(echo: tuple[Cut, list[bytes]]) -> None:
    cut, heard = echo
    with through(cut) as client:
        client.settimeout(0.5)
        cut.loses_answers()
        client.sendall(b"order")
        with pytest.raises(TimeoutError):
            client.recv(10)

    assert b"".join(heard) == b"order"


def test_a_refusing_cut_resets_what_lives_and_lets_nobody_in(
    echo: tuple[Cut, list[bytes]],
) -> None:
    cut, _ = echo
    with through(cut) as client:
        client.sendall(b"1")
        client.recv(1)
        cut.refuses()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        through(cut)
