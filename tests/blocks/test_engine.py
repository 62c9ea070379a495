"""The agent and a real engine: layers only where missing, limits that hold, an end in good time."""

import http.client
import shutil
import socket
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from blocks.hosts import Parcel
from blocks.hosts.agent import containers, engine, images
from blocks.hosts.agent.files import Refusal
from blocks.images import Images, RegistryAccount
from deployments.stack.processes import until
from tests.engines import PASSWORD, USER, Engine, Registry, sample, served_port

OWNER = "tradewind-test"
_numbers = count(1)


@pytest.fixture(scope="module")
def built(builder: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    """Two versions of the sample shop that differ in a small layer."""
    made = Images(builder.address, tmp_path_factory.mktemp("pieces"))
    return (
        made.parcel(made.build(sample("1", "engine"))),
        made.parcel(made.build(sample("2", "engine", GREETING="welcome"))),
    )


@pytest.fixture(scope="module")
def at(host_engine: Engine, built: tuple[Parcel, Parcel]) -> str:
    """The socket of a host's engine that has both versions."""
    for parcel in built:
        images.load(host_engine.socket, parcel.pieces, parcel.image, dict(parcel.listing))
    return host_engine.socket


@pytest.fixture
def unit(at: str, built: tuple[Parcel, Parcel], host_engine: Engine) -> Iterator[dict[str, Any]]:
    """A container to ask for, gone afterwards."""
    name = f"tradewind-test-{next(_numbers)}"
    yield wanted(name, built[0].image)
    host_engine.docker("rm", "--force", name, check=False)


def wanted(name: str, image: str, **environment: str) -> dict[str, Any]:
    port = served_port()
    return {
        "name": name,
        "image": image,
        "command": [],
        "environment": {"PORT": str(port), **environment},
        "labels": {"org.tradewind.service": "web", "org.tradewind.version": "1"},
        "port": port,
        "limits": {"memory_mb": 48, "cpus": 0.5, "processes": 40, "log_mb": 2},
        "read_only": True,
        "networks": [],
        "mounts": [],
        "stop": {"signal": "INT", "timeout_seconds": 20.0},
    }


def page(unit: dict[str, Any], path: str = "/greet") -> str:
    """What the shop answers; "" when nobody does."""
    connection = http.client.HTTPConnection("127.0.0.1", unit["port"], timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def serves(unit: dict[str, Any]) -> bool:
    return until(lambda: page(unit) != "", 20)


def test_only_the_layers_that_are_missing_are_needed(
    built: tuple[Parcel, Parcel], host_engine: Engine, tmp_path: Path
) -> None:
    at, (first, second) = host_engine.socket, built
    host_engine.clear()
    for image in (first.image, second.image):
        host_engine.docker("rmi", "--force", image, check=False)
    whole = sum(file[2] for file in first.listing["files"])
    assert images.lacking(at, first.image, dict(first.listing)) == first.listing["files"]
    assert images.load(at, first.pieces, first.image, dict(first.listing)) == whole

    coming = images.lacking(at, second.image, dict(second.listing))
    for _, _, _, name in coming:
        shutil.copy(second.pieces / name, tmp_path)
    given = images.load(at, tmp_path, second.image, dict(second.listing))

    assert given == sum(file[2] for file in coming) < whole / 1000
    unit = wanted("tradewind-test-second", second.image)
    containers.run(at, unit)
    assert serves(unit)
    assert page(unit) == "welcome"
    assert images.load(at, tmp_path, second.image, dict(second.listing)) == 0
    host_engine.clear()


def test_a_layer_counts_only_on_top_of_the_same_ones(at: str, built: tuple[Parcel, Parcel]) -> None:
    configuration, lowest, middle, top = built[0].listing["files"]
    other = ["x", False, 1, "0" * 64]

    lacking = images.lacking(at, "0" * 64, {"files": [configuration, lowest, other, middle, top]})

    assert lacking == [configuration, other, middle, top]


def test_a_piece_that_is_not_there_is_named(at: str, tmp_path: Path) -> None:
    listing = {"files": [["x", False, 1, "0" * 64], ["y", False, 1, "1" * 64]]}

    with pytest.raises(Refusal, match="2 pieces of sha256:000000000000 are missing") as failed:
        images.load(at, tmp_path, f"sha256:{'0' * 64}", listing)

    assert failed.value.kind == "failed"


def test_a_candidate_runs_beside_the_old_one(
    at: str, unit: dict[str, Any], built: tuple[Parcel, Parcel], host_engine: Engine
) -> None:
    candidate = wanted(f"{unit['name']}-candidate", built[1].image)

    containers.run(at, unit)
    containers.run(at, candidate)

    assert serves(unit)
    assert serves(candidate)
    assert (page(unit), page(candidate)) == ("hello", "welcome")
    assert host_engine.listening() == {
        ("127.0.0.1", unit["port"]),
        ("127.0.0.1", candidate["port"]),
    }, "the engine itself opens no TCP socket"
    host_engine.docker("rm", "--force", candidate["name"])


def test_the_limits_are_the_engines(at: str, unit: dict[str, Any], host_engine: Engine) -> None:
    containers.run(at, unit)

    told: Any = host_engine.inspect(unit["name"])
    host, config = told["HostConfig"], told["Config"]
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (48 << 20, 48 << 20, 5 * 10**8)
    assert host["PidsLimit"] == 40
    assert host["LogConfig"]["Config"] == {"max-size": "2m", "max-file": "3"}
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert (config["StopSignal"], config["StopTimeout"], host["Init"]) == ("SIGINT", 20, True)
    assert config["Labels"]["org.tradewind.version"] == "1"


def test_more_memory_than_allowed_is_not_given(at: str, unit: dict[str, Any]) -> None:
    containers.run(at, unit)
    assert serves(unit)
    assert page(unit, "/take?8") == "taken"

    assert page(unit, "/take?64") == ""

    assert until(lambda: "memory limit of 48 MB" in containers.logs(at, unit["name"], 2000), 10)
    assert serves(unit), "it is started again"


def test_a_read_only_container_writes_to_its_temporary_folder_only(
    at: str, unit: dict[str, Any]
) -> None:
    containers.run(at, unit)
    assert serves(unit)

    assert page(unit, "/write?/app/x") == "Read-only file system"
    assert page(unit, "/write?/tmp/x") == "written"


def test_a_crash_loop_is_fatal_and_says_why(at: str, unit: dict[str, Any]) -> None:
    crashing = {**unit, "command": ["python3", "-c", "raise SystemExit('no such table')"]}
    seen = set[str]()

    containers.run(at, crashing)

    def fatal() -> bool:
        seen.add(containers.state(at, unit["name"]))
        return "FATAL" in seen

    assert until(fatal, 30)
    assert "RUNNING" not in seen
    assert "no such table" in containers.logs(at, unit["name"], 2000)


def test_states_are_those_of_a_supervisor(at: str, unit: dict[str, Any]) -> None:
    states = [containers.state(at, unit["name"])]
    containers.run(at, unit)
    states.append(containers.state(at, unit["name"]))
    assert until(lambda: containers.state(at, unit["name"]) == "RUNNING", 10)

    containers.stop(at, unit["name"], 20)

    states.append(containers.state(at, unit["name"]))
    assert states == ["ABSENT", "STARTING", "STOPPED"]


def test_it_ends_by_its_own_signal_in_its_own_time(at: str, unit: dict[str, Any]) -> None:
    unit["environment"]["END_SECONDS"] = "2"
    containers.run(at, unit)
    assert serves(unit)

    containers.stop(at, unit["name"], 20)

    assert containers.logs(at, unit["name"], 2000).splitlines() == [
        "serving",
        "ending by SIGINT",
        "ended",
    ]
    containers.stop(at, unit["name"], 20)
    containers.remove(at, unit["name"])
    containers.remove(at, unit["name"])
    assert containers.state(at, unit["name"]) == "ABSENT"


def test_one_that_does_not_end_is_killed_after_its_time(at: str, unit: dict[str, Any]) -> None:
    unit["environment"]["END_SECONDS"] = "60"
    containers.run(at, unit)
    assert serves(unit)
    begun = time.monotonic()

    containers.stop(at, unit["name"], 1)

    assert 1 <= time.monotonic() - begun < 20
    assert containers.logs(at, unit["name"], 2000).splitlines() == ["serving", "ending by SIGINT"]
    assert containers.state(at, unit["name"]) == "STOPPED"


def test_asked_again_nothing_changes(at: str, unit: dict[str, Any], host_engine: Engine) -> None:
    containers.run(at, unit)
    assert serves(unit)
    before = host_engine.inspect(unit["name"])["State"]

    containers.run(at, unit)

    assert host_engine.inspect(unit["name"])["State"] == before
    with pytest.raises(Refusal, match="with other content") as refused:
        containers.run(at, {**unit, "environment": {"PORT": "1"}})
    assert refused.value.kind == "refused"
    assert host_engine.inspect(unit["name"])["State"] == before


def test_one_that_was_stopped_runs_when_asked_again(at: str, unit: dict[str, Any]) -> None:
    containers.run(at, unit)
    containers.stop(at, unit["name"], 20)

    containers.run(at, unit)

    assert serves(unit)


def test_a_running_container_is_not_removed(at: str, unit: dict[str, Any]) -> None:
    containers.run(at, unit)

    with pytest.raises(Refusal, match="Stop the container") as refused:
        containers.remove(at, unit["name"])

    assert refused.value.kind == "refused"
    assert containers.state(at, unit["name"]) != "ABSENT"


def test_a_container_that_cannot_start_leaves_nothing(at: str, unit: dict[str, Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unit["port"]))
        taken.listen()
        with pytest.raises(Refusal, match="address already in use"):
            containers.run(at, unit)
    with pytest.raises(Refusal, match="source path does not exist"):
        containers.run(at, {**unit, "mounts": ["/nowhere/at/all:/pictures:ro"]})

    assert containers.state(at, unit["name"]) == "ABSENT"
    containers.run(at, unit)
    assert serves(unit)


def test_mounts_and_networks_are_given(
    at: str, unit: dict[str, Any], host_engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "role").write_text("standby")
    unit["mounts"] = [f"{tmp_path}:/run/shop:ro", f"{tmp_path}:/srv/shop"]
    unit["networks"] = ["shop", "payments"]

    containers.run(at, unit)

    assert serves(unit)
    assert page(unit, "/write?/run/shop/role") == "Read-only file system"
    assert page(unit, "/write?/srv/shop/order") == "written"
    assert (tmp_path / "order").read_text() == "written"
    told: Any = host_engine.inspect(unit["name"])
    assert set(told["NetworkSettings"]["Networks"]) == {"shop", "payments"}


def test_the_end_of_a_long_output_is_told(at: str, unit: dict[str, Any]) -> None:
    talks = "for n in range(5000): print('line', n, 'x' * 50)\nprint('the end')\nimport time\n"
    unit["command"] = ["python3", "-u", "-c", f"{talks}time.sleep(60)"]

    containers.run(at, unit)

    assert until(lambda: containers.logs(at, unit["name"], 100).endswith("the end\n"), 20)
    assert len(containers.logs(at, unit["name"], 100)) == 100


def test_a_containers_lines_are_read_on_with_the_engines_times(
    at: str, unit: dict[str, Any]
) -> None:
    unit["command"] = ["python3", "-c", "for n in range(300): print('line', n)"]
    containers.run(at, unit)
    assert until(lambda: "line 299" in containers.logs(at, unit["name"], 2000), 20)

    found: list[list[str]] = []
    more = True
    while more:
        lines, more = containers.lines(at, unit["name"], found[-1][0] if found else "", 1000)
        assert sum(len(text) for _, text in lines) <= 1100
        found += lines

    assert [text for _, text in found] == [f"line {number}" for number in range(300)]
    assert sorted(time for time, _ in found) == [time for time, _ in found]
    assert containers.lines(at, "nobody", "", 1000) == ([], False)


def test_images_that_nobody_keeps_go_and_the_last_one_stays(
    at: str,
    unit: dict[str, Any],
    built: tuple[Parcel, Parcel],
    host_engine: Engine,
    tmp_path: Path,
) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {built[0].image}\nARG N\nRUN echo $N > /app/greeting"
    )
    here = Images(host_engine.address, tmp_path)
    made = [here.build(sample("0", "prune", tmp_path, N=n)).digest for n in "abcd"]
    gone, others, used, last = made
    for image in made:
        images.pin(at, OWNER, image)
    images.pin(at, "tradewind-another", others)
    containers.run(at, {**unit, "image": used})

    removed = images.prune(at, OWNER, {last})

    assert set(removed) == {gone, others}
    assert [images.has(at, image) for image in made] == [False, True, True, True]
    assert images.has(at, built[0].image), "what it never pinned is not its own"
    assert images.prune(at, "tradewind-another", set()) == [others]
    assert not images.has(at, others)


def test_a_pulled_image_goes_with_its_last_name(
    at: str, builder: Engine, registry: Registry, tmp_path: Path
) -> None:
    made = Images(builder.address, tmp_path, RegistryAccount(registry.address, USER, PASSWORD))
    pushed = made.push(sample("1", "pulled"), made.build(sample("1", "pulled", GREETING="pulled")))
    account = dict(made.parcel(pushed).account)
    image = images.pull(at, pushed.reference, account)
    images.pin(at, OWNER, image)

    images.prune(at, OWNER, set())

    assert not images.has(at, image)


def test_a_tag_is_not_pulled(at: str) -> None:
    with pytest.raises(Refusal, match="images move by digest only"):
        images.pull(at, "registry.example/web:latest", {})


def test_an_engine_that_does_not_answer_is_named(at: str) -> None:
    assert engine.version(at)["ApiVersion"]

    with pytest.raises(Refusal, match="the engine at /nowhere does not answer GET") as failed:
        engine.version("/nowhere")

    assert failed.value.kind == "failed"
