"""The composition root: the one place that turns a shop's name into live objects."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from prefect.blocks.core import Block
from pydantic import Field

from blocks import logs
from blocks.artifacts import Artifacts
from blocks.calendars import Calendars
from blocks.channels import ChannelClient
from blocks.channels.accounts import account_of
from blocks.channels.budget import SharedBudget
from blocks.database import Database
from blocks.environments import Environments
from blocks.errors_reported import report_errors
from blocks.forges import Connected, ForgeClient
from blocks.forges.gitea import Gitea
from blocks.forges.github import GitHub
from blocks.forges.gitlab import GitLab
from blocks.hosts import Host, Parcel
from blocks.hosts.local import local_host
from blocks.hosts.ssh import Account, Door, private_key, ssh_host
from blocks.images import BuiltImage, Images, RegistryAccount
from blocks.incidents.connected import Incidents
from blocks.ledger import Ledger
from blocks.references import resolve
from blocks.shopfile import configuration_digest, load
from blocks.source import Repository
from domain.account import Channel
from domain.errors import BadInput
from domain.forge.settings import Forge
from domain.shop import Environment, Service, Shop
from domain.shop import Host as DeclaredHost

Declared = TypeVar("Declared")
FORGES: Mapping[str, Callable[[Forge, str], ForgeClient]] = {
    "github": GitHub,
    "gitlab": GitLab,
    "gitea": Gitea,
}
"""By kind."""


class ShopBlock(Block):
    """A shop, as flows know it: where its ``shop.yaml`` and its state folder are."""

    _block_type_name = "Tradewind shop"
    _block_type_slug = "tradewind-shop"
    _description = "Where a shop.yaml is, and the folder that Tradewind keeps its state in."

    path: str = Field(default="shop.yaml", title="Path of shop.yaml")
    state: str = Field(default=".tradewind", title="State folder")

    def open(self) -> "Live":
        return Live(Path(self.path), Path(self.state))


class Live:
    """The shop's outside systems, each made when first asked for."""

    on_write: Callable[[str, str], None] | None = None
    """Called around every write of every ledger, as ``Store`` says: where tests kill."""

    def __init__(self, path: Path, state: Path) -> None:
        self.path = path.resolve()
        self.state = state.resolve()
        self.shop: Shop = load(self.path)
        self._hosts: dict[str, tuple[Host, ...]] = {}
        self._channels: dict[str, dict[str, ChannelClient]] = {}

    @property
    def configuration(self) -> str:
        return configuration_digest(self.shop)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.ledger_url, on_write=type(self).on_write)

    @cached_property
    def ledger_url(self) -> str:
        return self._stored("databases/ledger")

    @cached_property
    def repository(self) -> Repository:
        return Repository(self.path.parent / self.shop.repository)

    @cached_property
    def artifacts(self) -> Artifacts:
        return Artifacts(self.state / "artifacts")

    @cached_property
    def images(self) -> Images:
        return Images(self.shop.builder, self.artifacts.pieces, self._registry())

    def _registry(self) -> RegistryAccount | None:
        declared = self.shop.registry
        if declared is None:
            return None
        username, password = map(self.reference, (declared.username, declared.password))
        return RegistryAccount(declared.address, username, password)

    @cached_property
    def calendars(self) -> Calendars | None:
        """Promotions and freezes; None where shop.yaml keeps no calendar."""
        if self.shop.calendar is None:
            return None
        places = self.shop.environments.values()
        names = dict.fromkeys(name for place in places for name in place.channels)
        return Calendars(self.shop.calendar, self.path.parent, tuple(names))

    @cached_property
    def forge(self) -> Connected | None:
        """Where the code is reviewed; None where shop.yaml names none."""
        declared = self.shop.forge
        if declared is None:
            return None
        client = FORGES[declared.kind](declared, self.reference(declared.token).strip())
        return Connected(declared, client, self.shop.branch)

    @cached_property
    def incidents(self) -> Incidents | None:
        """Where errors are reported; None where shop.yaml names no error tracker."""
        declared = self.shop.sentry
        return Incidents(declared, self.shop.shop, self.reference) if declared else None

    @cached_property
    def environments(self) -> Environments:
        return Environments(self.state / "environments")

    @contextmanager
    def exported(self, commit: str, paths: Sequence[str]) -> Iterator[Path]:
        """A folder with ``paths`` as of ``commit``, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="tradewind-source-") as folder:
            self.repository.export(commit, tuple(dict.fromkeys(paths)), Path(folder))
            yield Path(folder)

    def service(self, name: str) -> Service:
        return _named(self.shop.services, name, "service")

    def environment(self, name: str) -> Environment:
        return _named(self.shop.environments, name, "environment")

    def hosts(self, environment: str) -> tuple[Host, ...]:
        """In the order of shop.yaml; the same objects every time, so that connections are kept."""
        if environment not in self._hosts:
            declared = self.environment(environment)
            self._hosts[environment] = tuple(self._host(declared, host) for host in declared.hosts)
        return self._hosts[environment]

    def close(self) -> None:
        """Ends every connection to a host; the next verb opens it again."""
        for hosts in self._hosts.values():
            for host in hosts:
                host.close()

    def loose_ends(self, environment: str, host: str) -> tuple[str, ...]:
        """What an environment's key may do on a host besides its one command."""
        declared = self.environment(environment)
        (found,) = (one for one in declared.hosts if one.name == host)
        return () if found.address == "local" else self._door(declared, found).loose_ends()

    def public_key(self, environment: str) -> str:
        """The line that an environment's hosts have to let in; BadInput without a key."""
        declared = self.environment(environment)
        if declared.ssh is None:
            raise BadInput(f"environments.{environment}.ssh is missing: it names the key")
        key = private_key(self.reference(declared.ssh.key) + "\n")
        return f"{key.get_name()} {key.get_base64()} tradewind-{self.shop.shop}-{environment}"

    def _host(self, environment: Environment, host: DeclaredHost) -> Host:
        if host.address == "local":
            own = {"proxy": host.proxy, "engine": host.engine, **host.tools}
            return local_host(host.name, self.state / "hosts" / host.name, own)
        return ssh_host(self._door(environment, host))

    def _door(self, environment: Environment, host: DeclaredHost) -> Door:
        assert environment.ssh is not None  # shop.yaml is refused without it
        account = Account(environment.ssh, self.reference(environment.ssh.key) + "\n")
        jump = next((one for one in environment.hosts if one.name == host.jump), None)
        return Door(host, account, jump)

    def parcel(self, service: str, digest: str, reference: str) -> Parcel:
        """What hosts are sent to have this version of a service."""
        if self.service(service).image is None:
            return self.artifacts.parcel(digest)
        return self.images.parcel(BuiltImage(digest, 0, reference))

    def database(self, environment: str) -> Database:
        return Database(self.database_url(environment))

    def database_url(self, environment: str) -> str:
        declared = self.environment(environment).database
        if declared == "embedded":
            return self._stored(f"databases/shop_{environment}")
        return self.reference(declared)

    def backup_key(self) -> str:
        """The age identity that backups are sealed to; "" where they are not."""
        migrations = self.shop.migrations
        return self.reference(migrations.backups.key).strip() if migrations else ""

    def channels(self, environment: str) -> dict[str, ChannelClient]:
        """By name; the same ones every time, so that tokens and what they learnt are kept."""
        if environment not in self._channels:
            declared = self.environment(environment).channels
            self._channels[environment] = {
                name: self._client(f"{environment}/{name}", channel)
                for name, channel in declared.items()
            }
        return self._channels[environment]

    def _client(self, account: str, channel: Channel) -> ChannelClient:
        """It shares the account's rates with all who have the same ledger."""
        budget = SharedBudget(self.ledger_url, account, channel.budget_share)
        folder = self.state / "channels" / account
        return account_of(channel).client(self.reference, budget, folder)

    def variables(self, environment: str, service: str) -> dict[str, str]:
        """What the service finds in its environment, references resolved."""
        declared = {
            **self.environment(environment).environment,
            **self.service(service).environment,
        }
        resolved = {name: self.reference(value) for name, value in declared.items()}
        return {"DATABASE_URL": self.database_url(environment), **resolved}

    def reference(self, text: str) -> str:
        """Its references resolved, at the last moment; what they hold is in no log from then on."""
        identity = self.shop.secrets.age_identity
        return resolve(text, self.state, os.environ, self.path.parent, identity)

    def _stored(self, name: str) -> str:
        return self.reference("${file:" + name + "}").strip()


def _named(declared: Mapping[str, Declared], name: str, what: str) -> Declared:
    if name not in declared:
        raise BadInput(f"{what} is {name!r}, known are {', '.join(sorted(declared))}")
    return declared[name]


def open_shop(name: str) -> Live:
    """The live shop behind a block's name.

    Raises BadInput when its shop.yaml is wrong, Refused when the block was never applied.
    """
    block = ShopBlock.load(name)
    assert isinstance(block, ShopBlock)  # Block.load is typed for both worlds
    live = block.open()
    logs.begin(live.shop.logs, live.reference, live.state)
    report_errors(live, "flow")
    return live
