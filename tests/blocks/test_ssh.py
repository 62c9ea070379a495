"""A host over a real sshd: its key pinned, its agent sent by digest, transfers cut and resumed."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
import yaml

from blocks.artifacts import Artifacts
from blocks.hosts.agent_host import AgentHost
from blocks.hosts.bundle import DOOR
from blocks.hosts.ssh import Account, Door, ssh_host
from blocks.shop import Live
from deployments.hosts import PLACE, to_install
from deployments.stack.processes import until
from domain.artifact import Artifact
from domain.errors import BadInput, Failed, Refused, Unavailable
from domain.host import Unit
from domain.shop import Host as Declared
from domain.shop import Ssh, Stop
from tests.blocks.test_host import built, server
from tests.cut import Cut
from tests.sshd import Fleet, new_key, require_sshd

BESIDE = Path(sys.executable).parent
TOOLS = {
    "python": sys.executable,
    "supervisord": str(BESIDE / "supervisord"),
    "envoy": str(BESIDE / "envoy"),
}
BIG_BYTES = 8_000_000
SHOP = Path(__file__).parents[2] / "examples" / "shop"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    require_sshd()
    with Fleet(tmp_path_factory.mktemp("fleet"), 3, door_command()) as started:
        yield started


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts")


def declared(fleet: Fleet, number: int) -> Declared:
    sshd = fleet.hosts[number]
    return Declared(
        f"host-{number}", sshd.address, sshd.port, fleet.user, sshd.host_key, tools=TOOLS
    )


def door_command() -> str:
    """The forced command of a test's hosts."""
    return f"{sys.executable} -I -S {DOOR} {{home}}"


def reach(host: Declared, known: Account, jump: Declared | None = None) -> AgentHost:
    return ssh_host(Door(host, known, jump))


def account(fleet: Fleet, step_seconds: float = 60) -> Account:
    return Account(Ssh("unused", 10, step_seconds), fleet.key.read_text())


@pytest.fixture
def host(fleet: Fleet) -> Iterator[AgentHost]:
    reached = reach(declared(fleet, 0), account(fleet))
    yield reached
    reached.close()


def through(fleet: Fleet, cut: Cut, number: int = 0, step_seconds: float = 60) -> AgentHost:
    """A host by way of a network that can be told to misbehave."""
    behind = replace(declared(fleet, number), address=cut.address, port=cut.port)
    return reach(behind, account(fleet, step_seconds))


def big(artifacts: Artifacts, folder: Path, mark: bytes) -> Artifact:
    """A version of 8 MB in one file that no host has."""
    folder.mkdir()
    (folder / "server.py").write_text(server(mark.decode()))
    (folder / "big").write_bytes(mark + os.urandom(BIG_BYTES))
    return built(artifacts, "web", folder)


def test_a_version_arrives_starts_and_serves(
    fleet: Fleet, host: AgentHost, artifacts: Artifacts, tmp_path: Path
) -> None:
    host.prepare()
    made = big(artifacts, tmp_path / "one", b"1")

    sent = host.place(artifacts.parcel(made.digest), 1)
    again = host.place(artifacts.parcel(made.digest), 1)
    host.start(Unit("web", "1", made.digest, "web", ("python", "server.py"), {}, Stop()), "", 1)
    host.health("web@1", "/health", 20)
    host.route("web", {"1": 100}, 1)

    assert sent > BIG_BYTES
    assert again == 0
    assert host.smoke("web", "1", ("/",)) == {"/": 200}
    assert host.observe().units["web@1"].weight == 100
    facts = host.facts()
    assert facts.python == sys.version.split()[0]
    assert facts.disk_free_bytes > 0
    assert abs(facts.clock_offset_seconds) < 5
    host.shutdown()


def test_only_what_a_host_lacks_is_sent(
    host: AgentHost, artifacts: Artifacts, tmp_path: Path
) -> None:
    one = big(artifacts, tmp_path / "one", b"1")
    host.place(artifacts.parcel(one.digest), 1)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    (tmp_path / "two" / "server.py").write_text(server("2"))
    two = built(artifacts, "web", tmp_path / "two")

    sent = host.place(artifacts.parcel(two.digest), 1)

    assert 0 < sent < 5000


def test_the_agent_is_sent_once_and_only_that_command_runs(fleet: Fleet, host: AgentHost) -> None:
    host.observe()
    sshd = fleet.hosts[0]
    agents = sshd.home / "agents"

    asked = subprocess.run(
        [
            "ssh", "-i", str(fleet.key), "-p", str(sshd.port), "-o", "BatchMode=yes",
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            f"{fleet.user}@{sshd.address}", "touch", str(sshd.home / "owned"),
        ],
        input=b"not an agent\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip

    assert len(list(agents.iterdir())) == 1
    assert b"64 hexadecimal digits and a size" in asked.stderr
    assert not (sshd.home / "owned").exists()


def test_another_host_key_is_refused_before_anything_is_sent(fleet: Fleet) -> None:
    sshd = fleet.hosts[1]
    pinned = declared(fleet, 1)
    reach(pinned, account(fleet)).observe()
    sshd.change_host_key()
    tries = sshd.log.read_text().count("Accepted publickey")
    said = len(sshd.log.read_text())

    with pytest.raises(Refused, match="the host key is not the pinned one, nothing was sent"):
        reach(pinned, account(fleet)).observe()

    assert until(lambda: "Connection" in sshd.log.read_text()[said:], 5)
    assert sshd.log.read_text().count("Accepted publickey") == tries
    assert "userauth" not in sshd.log.read_text()[said:]
    with pytest.raises(Refused, match="nothing was sent"):
        reach(replace(pinned, host_key=other_kind()), account(fleet)).observe()


def other_kind() -> str:
    """A pinned key of a kind that the host does not have."""
    key = paramiko.ECDSAKey.generate()
    return f"{key.get_name()} {key.get_base64()}"


def test_a_key_that_the_host_does_not_know_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    new_key(tmp_path / "stranger")
    stranger = Account(Ssh("unused"), (tmp_path / "stranger").read_text())

    with pytest.raises(Refused, match="key is not accepted"):
        reach(declared(fleet, 0), stranger).observe()


def names(folder: Path) -> set[str]:
    return {place.name for place in folder.iterdir()}


def test_a_cut_leaves_the_old_version_and_what_was_cut_goes_on_where_it_stopped(
    fleet: Fleet, artifacts: Artifacts, tmp_path: Path
) -> None:
    old, new = (big(artifacts, tmp_path / name, name.encode()) for name in ("old", "new"))
    with Cut(fleet.hosts[0].address, fleet.hosts[0].port) as cut:
        host = through(fleet, cut)
        host.place(artifacts.parcel(old.digest), 1)
        before = names(fleet.hosts[0].home / "artifacts")
        cut.cuts_after(BIG_BYTES // 2)

        with pytest.raises(Unavailable, match="host-0 does not answer"):
            host.place(artifacts.parcel(new.digest), 1)
        assert names(fleet.hosts[0].home / "artifacts") == before

        cut.passes()
        assert 0 < host.place(artifacts.parcel(new.digest), 1) < BIG_BYTES * 0.7
        host.close()


def test_what_a_lost_answer_told_is_found_done(fleet: Fleet) -> None:
    with Cut(fleet.hosts[1].address, fleet.hosts[1].port) as cut:
        host = through(fleet, cut, number=1, step_seconds=2)
        before = host.observe().epoch
        cut.loses_answers()

        with pytest.raises(Unavailable, match="host-1 does not answer prune"):
            host.prune(before + 1)
        cut.passes()

        assert host.observe().epoch == before + 1
        host.prune(before + 1)
        cut.resets()
        assert host.observe().epoch == before + 1, "a dead connection is opened again"
        host.close()


def test_a_host_that_hangs_is_given_up_at_its_deadline(fleet: Fleet) -> None:
    sshd = fleet.hosts[2]
    host = reach(declared(fleet, 2), account(fleet, step_seconds=1))
    host.observe()
    sshd.pause()

    try:
        with pytest.raises(Unavailable, match="host-2 does not answer observe"):
            host.observe()
    finally:
        sshd.resume()

    assert host.observe().epoch == 0
    host.close()


def test_what_a_key_may_do_beyond_its_command_is_found_out(fleet: Fleet) -> None:
    sshd, door = fleet.hosts[2], Door(declared(fleet, 2), account(fleet), None)
    command = f'command="{sys.executable} -I -S {DOOR} {sshd.home}"'

    assert door.loose_ends() == ()

    sshd.authorize(fleet.public, command)
    assert door.loose_ends() == ("may forward ports", "may open a terminal")
    sshd.authorize(fleet.public, f"restrict,{command}")


def test_a_host_is_reached_through_another(fleet: Fleet) -> None:
    jump = fleet.hosts[2]
    allowed = f'restrict,port-forwarding,permitopen="{fleet.hosts[0].address}:*"'
    jump.authorize(fleet.public, allowed)

    host = reach(declared(fleet, 0), account(fleet), declared(fleet, 2))

    assert host.observe().epoch >= 0
    host.close()
    jump.authorize(fleet.public, "restrict")
    with pytest.raises(Unavailable, match="host-0 does not answer observe"):
        host.observe()


def test_a_corrupted_piece_is_refused_on_the_host(
    host: AgentHost, artifacts: Artifacts, tmp_path: Path
) -> None:
    made = big(artifacts, tmp_path / "one", b"1")
    parcel = artifacts.parcel(made.digest)
    (file,) = (one for one in parcel.listing["files"] if one[0] == "app/big")
    content = bytearray((artifacts.pieces / file[3]).read_bytes())
    content[-1] ^= 1
    (artifacts.pieces / file[3]).write_bytes(content)

    with pytest.raises(Refused, match=f"expected {file[3][:12]}"):
        host.place(parcel, 1)
    with pytest.raises(Refused, match="is not on this host"):
        host.start(Unit("w", "1", made.digest, "web", ("python", "x"), {}, Stop()), "", 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_leaves_the_old_version_as_it_was(tmp_path: Path, artifacts: Artifacts) -> None:
    require_sshd()
    fleet = Fleet(tmp_path / "small", 1, door_command())
    home = fleet.hosts[0].home
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", home], check=True)
    try:
        with fleet:
            host = reach(declared(fleet, 0), account(fleet))
            one, two = (big(artifacts, tmp_path / name, name.encode()) for name in ("one", "two"))
            host.place(artifacts.parcel(one.digest), 1)

            with pytest.raises(Failed, match="No space left on device"):
                host.place(artifacts.parcel(two.digest), 1)

            assert host.place(artifacts.parcel(one.digest), 1) == 0
            host.close()
    finally:
        until(lambda: subprocess.run(["umount", home], check=False).returncode == 0, 10)


def test_what_host_add_prints_lets_tradewind_in_and_nothing_else(
    fleet: Fleet, tmp_path: Path
) -> None:
    sshd, known = fleet.hosts[1], declared(fleet, 1)
    settings = yaml.safe_load((SHOP / "shop.yaml").read_text())
    shown = {"name": known.name, "address": known.address, "host_key": sshd.host_key}
    settings["environments"]["production"] |= {
        "hosts": [{**shown, "proxy": "haproxy"}],
        "ssh": {"key": "${file:key}"},
    }
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "key").write_text(fleet.key.read_text())

    script = to_install(Live(tmp_path / "shop.yaml", tmp_path), "production", known.name)

    assert DOOR.read_text() in script
    (line,) = (one for one in script.splitlines() if one.startswith("printf"))
    options, kind, key, _ = shlex.split(line)[2].rsplit(" ", 3)
    installed = options.replace("python3", sys.executable).replace(PLACE, str(DOOR))
    home = "/var/lib/tradewind/sample-shop-production"
    sshd.authorize(f"{kind} {key}", installed.replace(home, str(sshd.home)))
    door = Door(replace(known, host_key=sshd.host_key), account(fleet), None)
    assert ssh_host(door).observe().epoch >= 0
    assert door.loose_ends() == ()


def test_a_missing_key_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    settings = yaml.safe_load((SHOP / "shop.yaml").read_text())
    settings["environments"]["production"]["ssh"] = {"key": "${file:key}"}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(settings))

    with pytest.raises(BadInput, match=r"key cannot be read.*ssh-keygen"):
        to_install(Live(tmp_path / "shop.yaml", tmp_path), "production", "web-1")
