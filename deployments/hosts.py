"""Hosts as an administrator meets them: what to install on one, and whether it is fit."""

import platform
import shlex

from blocks.hosts import Host
from blocks.hosts.bundle import DOOR
from blocks.shop import Live
from domain.errors import BadInput, Refused, TradewindError
from domain.readiness import Finding, Needs, readiness
from domain.shop import Environment
from domain.shop import Host as Declared

PLACE = "/usr/local/lib/tradewind/door.py"
PACKAGES = {"envoy": "python3 supervisor", "haproxy": "python3 supervisor haproxy"}


def to_install(live: Live, environment: str, name: str) -> str:
    """A shell script for root on the host, then the line for shop.yaml; both say all there is."""
    declared = live.environment(environment)
    host = next((one for one in declared.hosts if one.name == name), Declared(name, name))
    if host.address == "local":
        raise BadInput(f"{name} is this machine: nothing has to be installed for it")
    home = f"/var/lib/{host.user}/{live.shop.shop}-{environment}"
    line = f"{options(declared, host, home)} {_key(live, environment)}"
    return SCRIPT.format(
        name=name,
        environment=environment,
        user=host.user,
        home=home,
        account=f"/var/lib/{host.user}",
        packages=PACKAGES[host.proxy],
        proxy=ENVOY if host.proxy == "envoy" else "",
        group=f"usermod -aG docker {host.user}\n" if _containers(live) else "",
        place=PLACE,
        folder=PLACE.rpartition("/")[0],
        door=DOOR.read_text(),
        line=shlex.quote(line),
        mark=line.rpartition(" ")[2],
    )


def _key(live: Live, environment: str) -> str:
    try:
        return live.public_key(environment)
    except BadInput as error:
        raise BadInput(
            f"{error}; one is made by: ssh-keygen -t ed25519 -N '' -C {environment} -f FILE"
        ) from error


def options(declared: Environment, host: Declared, home: str) -> str:
    """Of the key's line: one command and nothing else, but the ways that lead through this host."""
    beyond = "".join(
        f',permitopen="{one.address}:{one.port}"' for one in declared.hosts if one.jump == host.name
    )
    ways = f",port-forwarding{beyond}" if beyond else ""
    return f'restrict{ways},command="python3 -I -S {PLACE} {home}"'


SCRIPT = """\
# On {name}, as root. Lets Tradewind deploy {environment} there, by one command and no shell.
set -eu
apt-get install -y {packages}
{proxy}id {user} >/dev/null 2>&1 || useradd --system --create-home --home-dir {account} {user}
{group}install -d -m 755 {folder}
cat > {place} <<'DOOR'
{door}DOOR
install -d -m 700 -o {user} {home} {account}/.ssh
touch {account}/.ssh/authorized_keys
sed -i '/ {mark}$/d' {account}/.ssh/authorized_keys
printf '%s\\n' {line} >> {account}/.ssh/authorized_keys
chown {user} {account}/.ssh/authorized_keys
chmod 600 {account}/.ssh/authorized_keys

# Then put the host's own key into shop.yaml, at {environment}'s host {name}, as host_key:
cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub
"""

ENVOY = "# Envoy: put its binary where `envoy` finds it, or name it in shop.yaml (tools.envoy).\n"


def check(live: Live, environment: str, name: str = "") -> tuple[Finding, ...]:
    """Every host of an environment, or one of them; a host that cannot be reached is told, too."""
    hosts = [host for host in live.hosts(environment) if name in ("", host.name)]
    if not hosts:
        known = ", ".join(host.name for host in live.hosts(environment))
        raise BadInput(f"host is {name!r}, known are {known}")
    needs = _needs(live, environment)
    return tuple(one for host in hosts for one in _checked(live, environment, host, needs))


def _checked(live: Live, environment: str, host: Host, needs: Needs) -> tuple[Finding, ...]:
    try:
        loose = live.loose_ends(environment, host.name)
        return readiness(host.facts(), host.observe(), loose, needs)
    except TradewindError as error:
        what = "key" if isinstance(error, Refused) else "connection"
        return (Finding(host.name, what, str(error), "an answer", False),)


def _needs(live: Live, environment: str) -> Needs:
    services = live.shop.services.values()
    processes = any(service.image is None for service in services)
    proxies = {host.proxy for host in live.environment(environment).hosts}
    return Needs(
        platform.python_version() if processes else "",
        " or ".join(sorted(proxies)),
        processes,
        _containers(live),
        live.ledger.leases.epoch(environment),
    )


def _containers(live: Live) -> bool:
    return any(service.image is not None for service in live.shop.services.values())
