"""One release's lines, brought together from its flows, its host's agent and its services."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blocks import logs as shipped
from deployments.cli import app
from deployments.logs import lines
from deployments.settings import write_secret
from deployments.stack.processes import until
from domain.errors import Refused
from domain.logs.merging import Wanted
from domain.logs.record import Document
from tests.blocks.logs.collectors import Collector, collecting
from tests.flows.world import Settings, World, opened, smallest

PLANTED = "planted-value-of-the-payment-key"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting("loki") as made:
        yield made


def chatty(collector: Collector) -> Callable[[Settings], None]:
    def change(settings: Settings) -> None:
        smallest(settings)
        storefront = settings["services"]["storefront"]
        storefront["environment"] = {"PAYMENT_KEY": "${file:payment}"}
        settings["logs"] = {
            "sinks": {"all": {"kind": "file"}, "loki": {"kind": "loki", "url": collector.url}}
        }

    return change


@pytest.mark.story
@pytest.mark.long
def test_what_was_written_about_a_release_is_found_in_one_place(
    tmp_path: Path, collector: Collector
) -> None:
    write_secret(tmp_path / "shop" / ".tradewind" / "payment", PLANTED)
    with opened(tmp_path / "shop", chatty(collector)) as world:
        leak(world)
        release = world.released()

        found = [one.document for one in lines(world.live, release.version, Wanted())]

        assert release.state == "released", release.outcome
        assert {one["event.dataset"] for one in found} == {
            "tradewind.flow", "tradewind.agent", "tradewind.service",
        }  # fmt: skip
        deployment = str(world.deployment(release.version, "production").id)
        of_services = {one["service.name"]: one for one in found if one.get("host.name")}
        assert {"storefront", "order-sync", "tradewind-agent"} <= of_services.keys()
        assert {one["labels.deployment"] for one in of_services.values()} == {deployment}
        assert {one["labels.release"] for one in found} == {release.version}
        assert any(one["message"] == "the key is ***" for one in found)
        assert PLANTED not in json.dumps(found)
        only = [one.document for one in lines(world.live, release.version, Wanted("order-sync"))]
        assert {one["service.name"] for one in only} == {"order-sync"}
        with pytest.raises(Refused, match="there is no release"):
            next(lines(world.live, "2000.01.01.1", Wanted()))
        assert until(lambda: arrived(collector, release.version), 150), collector.messages[-20:]
        assert PLANTED.encode() not in b"".join(collector.bodies)
        assert_the_command_prints_it(world, release.version)
    shipped.end()


def leak(world: World) -> None:
    """The shop's next version writes its key where it starts."""
    place = world.folder / "storefront" / "__main__.py"
    text = place.read_text()
    told = '\nprint("the key is", os.environ["PAYMENT_KEY"], flush=True)\n\n\ndef main():\n'
    place.write_text(text.replace("\n\ndef main():\n", told))
    world.sample.commit("Tell too much")


def arrived(collector: Collector, version: str) -> bool:
    """Lines of the release's flows, its host's agent and its services reached the sink."""
    own: list[Document] = [one for one in collector.taken if one.get("labels.release") == version]
    kinds = {one["event.dataset"] for one in own}
    return kinds >= {"tradewind.flow", "tradewind.agent", "tradewind.service"}


def assert_the_command_prints_it(world: World, version: str) -> None:
    asked = ["--shop", str(world.live.path), "logs", version, "--environment", "production"]
    told = CliRunner().invoke(app, asked)
    machine = CliRunner().invoke(app, [*asked, "--service", "storefront", "--json"])

    assert told.exit_code == 0, told.output
    assert f"production/production-1 storefront {version} info" in told.output
    assert "the key is ***" in told.output
    assert PLANTED not in told.output + machine.output
    read = [json.loads(one) for one in machine.stdout.splitlines()]
    assert {one["service.name"] for one in read} == {"storefront"}
