"""The host agent: the only thing that touches a host. One file, standard library, Python 3.9+.

One verb per run: ``agent.py HOME`` with JSON on stdin, JSON on stdout. It takes a lock, refuses a
lower epoch than it has seen, makes the desired state true, and answers what it observed.

HOME/ fence.json  ports.json  tools.json  artifacts/HEX/  units/NAME.json  proxy/  logs/
A unit is one version of one service, named ``service@version``; supervisord runs units and the
proxy (Envoy), which reads its listeners, clusters and weights from files replaced by rename.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.parse
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
ANSWER_SECONDS = 30.0
MOST_MEMBERS, MOST_BYTES = 100_000, 4 << 30
CHANGING = ("receive", "start", "route", "role", "retire", "prune")
LOOPBACK = "127.0.0.1"
WORKER_PAGES = {"working": "/resume", "standby": "/drain"}


class Refusal(Exception):
    """Said to the caller: ``kind`` is fenced, refused or failed."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


# --- files -----------------------------------------------------------------------------------


def read(path: Path, absent: Any = None) -> Any:
    return json.loads(path.read_text()) if path.exists() else absent


def write(path: Path, content: Any) -> None:
    """All or nothing, readable by the owner only: units hold secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fence(home: Path, epoch: int) -> None:
    """The target enforces the epoch: nobody acts here with an older one than it has seen."""
    seen = read(home / "fence.json", {"epoch": 0})["epoch"]
    if epoch < seen:
        raise Refusal("fenced", f"epoch {epoch} is over, this host has seen {seen}")
    if epoch > seen:
        write(home / "fence.json", {"epoch": epoch})


def port_of(home: Path, name: str) -> int:
    """The same port every time for the same name."""
    ports: dict[str, int] = read(home / "ports.json", {})
    if name not in ports:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            ports[name] = free.getsockname()[1]
        write(home / "ports.json", ports)
    return ports[name]


def until(what: str, condition: Callable[[], bool], limit_seconds: float) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Refusal("failed", f"{what}: not within {limit_seconds:g} s")
        time.sleep(POLL_SECONDS)


# --- units under supervisord --------------------------------------------------------------------


def units(home: Path) -> dict[str, Any]:
    return {path.stem: read(path) for path in sorted((home / "units").glob("*@*.json"))}


def unit_path(home: Path, name: str) -> Path:
    return home / "units" / f"{name}.json"


def supervisor(home: Path) -> Any:
    tools = read(home / "tools.json", {})
    address = f"http://tradewind:{tools.get('password')}@{LOOPBACK}:{tools.get('port', 1)}/RPC2"
    return xmlrpc.client.ServerProxy(address).supervisor


def supervised(home: Path) -> bool:
    try:
        return bool(supervisor(home).getState()["statename"] == "RUNNING")
    except (OSError, xmlrpc.client.Error, http.client.HTTPException):
        return False


def program(home: Path, name: str, command: list[str], stop: dict[str, Any]) -> None:
    """Declares a program to supervisord and starts it; what is there stays as it is."""
    text = f"""[program:{name}]
command={" ".join(command)}
directory={home}
autorestart=true
startsecs=1
startretries=4
stopsignal={stop["signal"]}
stopwaitsecs={int(stop["timeout_seconds"])}
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""
    path = home / "programs" / f"{name}.ini"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    agree(home)


def agree(home: Path) -> None:
    """Makes supervisord run exactly the declared programs."""
    rpc = supervisor(home)
    added, changed, removed = rpc.reloadConfig()[0]
    for name in (*removed, *changed):
        rpc.stopProcessGroup(name)
        rpc.removeProcessGroup(name)
    for name in (*added, *changed):
        rpc.addProcessGroup(name)


def state_of(home: Path, name: str) -> str:
    try:
        return str(supervisor(home).getProcessInfo(name)["statename"])
    except xmlrpc.client.Fault:
        return "ABSENT"


def prepare(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Supervisord and the proxy run; asked again, nothing changes."""
    for folder in ("units", "programs", "artifacts", "proxy", "logs"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    if not supervised(home):
        begin_supervisor(home, asked["tools"])
    publish(home)
    command = [
        asked["tools"]["envoy"], "-c", f"{home}/proxy/bootstrap.json", "--disable-hot-restart",
        "--concurrency", "1", "--file-flush-interval-msec", "200", "--log-level", "warning",
    ]  # fmt: skip
    program(home, "proxy", command, {"signal": "TERM", "timeout_seconds": 10})
    until("the proxy answers", lambda: admin(home, "/ready")[0] == 200, ANSWER_SECONDS)
    return observe(home, asked)


def begin_supervisor(home: Path, tools: dict[str, str]) -> None:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    write(home / "tools.json", {**tools, "port": port, "password": secrets.token_hex(16)})
    known = read(home / "tools.json")
    shutil.copyfile(__file__, home / "agent.py")
    user = "user=root\n" if os.geteuid() == 0 else ""
    (home / "supervisord.conf").write_text(
        f"[supervisord]\nnodaemon=true\n{user}logfile={home}/logs/supervisord.log\n"
        f"pidfile={home}/supervisord.pid\nchildlogdir={home}/logs\n"
        f"[inet_http_server]\nport={LOOPBACK}:{port}\n"
        f"username=tradewind\npassword={known['password']}\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[include]\nfiles={home}/programs/*.ini\n"
    )
    (home / "supervisord.conf").chmod(0o600)
    with open(home / "logs" / "supervisord.out", "ab") as output:
        command = [tools["supervisord"], "-c", f"{home}/supervisord.conf"]
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    until("supervisord answers", lambda: supervised(home), ANSWER_SECONDS)


def shutdown(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    if supervised(home):
        supervisor(home).shutdown()
        until("supervisord ends", lambda: not supervised(home), asked["limit_seconds"])
    return {}


# --- the proxy ----------------------------------------------------------------------------------


def admin(home: Path, path: str) -> tuple[int, str]:
    return request(port_of(home, "admin"), "GET", path, {})


def request(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and body of one request on loopback; status 0 when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def weights_of(home: Path, service: str) -> dict[str, int]:
    weights: dict[str, int] = read(home / "proxy" / f"weights-{service}.json", {})
    return weights


def web_services(home: Path) -> list[str]:
    return sorted({unit["service"] for unit in units(home).values() if unit["kind"] == "web"})


def publish(home: Path) -> None:
    """Writes the whole of the proxy's configuration: a function of units and weights."""
    folder = home / "proxy"
    services = web_services(home)
    write(folder / "bootstrap.json", bootstrap(home))
    write(
        folder / "cds.json",
        resources([cluster(name, u) for name, u in units(home).items() if u["kind"] == "web"]),
    )
    for service in services:
        write(folder / f"rds-{service}.json", resources([routes(home, service)]))
    write(folder / "lds.json", resources([listener(home, service) for service in services]))


def resources(listed: list[dict[str, Any]]) -> dict[str, Any]:
    version = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]
    return {"version_info": version, "resources": listed}


def watched(home: Path, name: str) -> dict[str, Any]:
    folder = f"{home}/proxy"
    source = {"path": f"{folder}/{name}.json", "watched_directory": {"path": folder}}
    return {"resource_api_version": "V3", "path_config_source": source}


def bootstrap(home: Path) -> dict[str, Any]:
    return {
        "node": {"id": home.name, "cluster": "tradewind"},
        "admin": {"address": address(port_of(home, "admin"))},
        "dynamic_resources": {
            "lds_config": watched(home, "lds"),
            "cds_config": watched(home, "cds"),
        },
    }


def address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def cluster(name: str, unit: dict[str, Any]) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": address(unit["port"])}}
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def routes(home: Path, service: str) -> dict[str, Any]:
    """A header asks for one version, which is how a candidate is tried without customers."""
    versions = [u["version"] for u in units(home).values() if u["service"] == service]
    weights = {v: w for v, w in weights_of(home, service).items() if v in versions}
    forced = [
        {
            "match": {
                "prefix": "/",
                "headers": [{"name": "x-tradewind-version", "string_match": {"exact": version}}],
            },
            "route": {"cluster": f"{service}@{version}", "timeout": "60s"},
        }
        for version in versions
    ]
    return {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": service,
        "virtual_hosts": [
            {"name": service, "domains": ["*"], "routes": [*forced, *weighted(service, weights)]}
        ],
    }


def weighted(service: str, weights: dict[str, int]) -> list[dict[str, Any]]:
    if not any(weights.values()):
        return []
    parts = [
        {
            "name": f"{service}@{version}",
            "weight": weight,
            "response_headers_to_add": [
                {"header": {"key": "x-tradewind-version", "value": version}}
            ],
        }
        for version, weight in weights.items()
    ]
    return [
        {
            "match": {"prefix": "/"},
            "route": {"weighted_clusters": {"clusters": parts}, "timeout": "60s"},
        }
    ]


def listener(home: Path, service: str) -> dict[str, Any]:
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": service,
        "rds": {"route_config_name": service, "config_source": watched(home, f"rds-{service}")},
        "access_log": [access_log(home, service)],
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": service,
        "address": address(port_of(home, f"listener-{service}")),
        "filter_chains": [{"filters": filters}],
    }


def access_log(home: Path, service: str) -> dict[str, Any]:
    fields = {
        "cluster": "%UPSTREAM_CLUSTER%",
        "code": "%RESPONSE_CODE%",
        "ms": "%DURATION%",
        "session": "%REQ(COOKIE):64%",
    }
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": f"{home}/proxy/access-{service}.log",
            "log_format": {"json_format": fields},
        },
    }


def applied(home: Path, service: str) -> bool:
    """The proxy serves by the weights that the file asks for."""
    wanted = read(home / "proxy" / f"rds-{service}.json")["version_info"]
    status, body = admin(home, "/config_dump?resource=dynamic_route_configs")
    found = json.loads(body).get("configs", []) if status == 200 else []
    return any(
        one["route_config"]["name"] == service and one.get("version_info") == wanted
        for one in found
    )


# --- verbs --------------------------------------------------------------------------------------


def receive(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Unpacks an artifact under its digest, complete or not at all; only plain files inside."""
    place = home / "artifacts" / asked["digest"].split(":")[1]
    if place.exists():
        return {"received": False}
    check_digest(Path(asked["path"]), asked["digest"])
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with tarfile.open(asked["path"]) as tar:
            unpack(tar, fresh)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return {"received": True}


def check_digest(path: Path, digest: str) -> None:
    seen = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            seen.update(chunk)
    if f"sha256:{seen.hexdigest()}" != digest:
        raise Refusal("refused", f"the artifact is {seen.hexdigest()[:12]}, expected {digest[:19]}")


def unpack(tar: tarfile.TarFile, into: Path) -> None:
    total = 0
    for number, member in enumerate(tar):
        parts = Path(member.name).parts
        total += member.size
        if not member.isreg() or ".." in parts or member.name.startswith("/"):
            raise Refusal("refused", f"the artifact has {member.name!r}: plain files inside only")
        if number >= MOST_MEMBERS or total > MOST_BYTES:
            raise Refusal("refused", f"the artifact has over {MOST_MEMBERS} files or 4 GiB")
        content = tar.extractfile(member)
        assert content is not None  # a regular file
        target = into.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)


def start(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The unit runs beside the others; a web service's gets no traffic by this."""
    unit = asked["unit"]
    name = f"{unit['service']}@{unit['version']}"
    if not (home / "artifacts" / unit["digest"].split(":")[1]).exists():
        raise Refusal("refused", f"artifact {unit['digest'][:19]} is not on this host")
    role = home / "units" / f"{name}.role"
    if not role.exists():
        role.write_text(asked["role"])
    write(unit_path(home, name), {**unit, "port": port_of(home, name)})
    if unit["kind"] == "web":
        publish(home)
        until("the proxy knows the unit", lambda: applied(home, unit["service"]), ANSWER_SECONDS)
    command = [read(home / "tools.json")["python"], f"{home}/agent.py", "exec", str(home), name]
    program(home, name, command, unit["stop"])
    return {"port": port_of(home, name)}


def execute(home: Path, name: str) -> None:
    """Becomes the unit's own program, with its environment."""
    unit = read(unit_path(home, name))
    folder = home / "artifacts" / unit["digest"].split(":")[1]
    command = list(unit["command"])
    if command[0] == "python":
        command[0] = read(home / "tools.json")["python"]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{folder}/app:{folder}/site",
        **unit["environment"],
        "PORT": str(unit["port"]),
        "TRADEWIND_ROLE_FILE": f"{home}/units/{name}.role",
    }
    os.chdir(folder / "app")
    os.execvpe(command[0], command, environment)  # noqa: S606 a list, and no shell is wanted


def health(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """200 on the health page within the limit; a crash loop fails at once."""
    name, port = asked["unit"], port_of(home, asked["unit"])

    def healthy() -> bool:
        state = state_of(home, name)
        if state in ("FATAL", "ABSENT", "STOPPED"):
            log = home / "logs" / f"{name}.log"
            tail = log.read_text(errors="replace")[-1000:] if log.exists() else ""
            raise Refusal("failed", f"{name} is {state}: {tail}")
        return state == "RUNNING" and request(port, "GET", asked["path"], {})[0] == 200

    until(f"{name} is healthy on {asked['path']}", healthy, asked["limit_seconds"])
    return {"healthy": True}


def smoke(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Status of each page of one version, asked for through the proxy."""
    port = port_of(home, f"listener-{asked['service']}")
    header = {"x-tradewind-version": asked["version"]}
    return {path: request(port, "GET", path, header)[0] for path in asked["paths"]}


def route(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Exactly these weights, in percent by version, and the proxy says that it uses them."""
    service, weights = asked["service"], asked["weights"]
    known = {u["version"] for u in units(home).values() if u["service"] == service}
    if sum(weights.values()) != 100 or not set(weights) <= known:
        raise Refusal("refused", f"weights of {service} are {weights}: 100 in all, of {known}")
    write(home / "proxy" / f"weights-{service}.json", weights)
    publish(home)
    until("the proxy has the weights", lambda: applied(home, service), ANSWER_SECONDS)
    return {"weights": weights}


def counts(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Requests per version since a cursor (bytes of the access log), and the cursor after them."""
    path = home / "proxy" / f"access-{asked['service']}.log"
    if not path.exists():
        return {"cursor": 0, "arms": {}}
    with path.open("rb") as file:
        file.seek(asked["cursor"])
        text = file.read()
    complete = text[: text.rfind(b"\n") + 1]
    arms: dict[str, dict[str, Any]] = {}
    failed_sessions: set[str] = set()
    for line in complete.splitlines():
        count(json.loads(line), arms, failed_sessions, asked["slow_ms"])
    for arm in arms.values():
        taken = sorted(arm.pop("ms"))
        arm["p95_ms"] = taken[min(len(taken) - 1, int(0.95 * len(taken)))]
    return {"cursor": asked["cursor"] + len(complete), "arms": arms}


def count(
    line: dict[str, Any], arms: dict[str, dict[str, Any]], failed: set[str], slow_ms: float
) -> None:
    """An error counts once per session: one unlucky client is not a trend."""
    version = str(line["cluster"] or "").partition("@")[2] or "none"
    empty = {"requests": 0, "errors": 0, "first_errors": 0, "slow": 0, "ms": []}
    arm = arms.setdefault(version, empty)
    code, session = int(line["code"] or 0), str(line["session"] or "")
    arm["requests"] += 1
    arm["ms"].append(int(line["ms"] or 0))
    arm["slow"] += int(line["ms"] or 0) > slow_ms
    if code == 0 or code >= 500:
        arm["errors"] += 1
        arm["first_errors"] += not session or session not in failed
        failed.add(session)


def drain(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Waits until a version has no request in flight; it must have no weight by then."""
    name = f"{asked['service']}@{asked['version']}"
    if weights_of(home, asked["service"]).get(asked["version"], 0):
        raise Refusal("refused", f"{name} still has weight: take its traffic first")
    stat = urllib.parse.quote(f"cluster.{name}.upstream_rq_active")

    def idle() -> bool:
        status, body = admin(home, f"/stats?filter=^{stat}$&format=json")
        return status == 200 and not any(s["value"] for s in json.loads(body)["stats"] if s)

    until(f"{name} is drained", idle, asked["limit_seconds"])
    return {"active": 0}


def role(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A worker works or stands by, also after a restart; answers the worker's own state."""
    name, wanted = asked["unit"], asked["role"]
    (home / "units" / f"{name}.role").write_text(wanted)
    status, body = request(port_of(home, name), "POST", WORKER_PAGES[wanted], {})
    if status != 200:
        raise Refusal("failed", f"{name} did not become {wanted}: {status} {body[:300]}")
    told: dict[str, Any] = json.loads(body)
    return told


def ask(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A unit's own answer to GET, as JSON."""
    status, body = request(port_of(home, asked["unit"]), "GET", asked["path"], {})
    if status != 200:
        raise Refusal("failed", f"{asked['unit']} answered {status} on {asked['path']}")
    told: dict[str, Any] = json.loads(body)
    return told


def retire(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The unit ends, by its own signal and in its own time; one with traffic is refused."""
    name = asked["unit"]
    unit = read(unit_path(home, name))
    if unit is None:
        return {"retired": False}
    if weights_of(home, unit["service"]).get(unit["version"], 0):
        raise Refusal("refused", f"{name} still has weight: take its traffic first")
    (home / "programs" / f"{name}.ini").unlink(missing_ok=True)
    agree(home)
    unit_path(home, name).unlink()
    (home / "units" / f"{name}.role").unlink(missing_ok=True)
    publish(home)
    return {"retired": True}


def prune(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Artifacts that no unit uses go; N−1 is a unit until it is retired."""
    used = {unit["digest"].split(":")[1] for unit in units(home).values()}
    unused = [place for place in (home / "artifacts").iterdir() if place.name not in used]
    for place in unused:
        shutil.rmtree(place)
    return {"pruned": len(unused)}


def observe(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: {
            **{k: unit[k] for k in ("service", "version", "digest", "kind", "port")},
            "state": state_of(home, name),
            "role": (home / "units" / f"{name}.role").read_text(),
            "weight": weights_of(home, unit["service"]).get(unit["version"], 0),
        }
        for name, unit in units(home).items()
    }
    ports = {service: port_of(home, f"listener-{service}") for service in web_services(home)}
    return {"units": found, "listeners": ports, **read(home / "fence.json", {"epoch": 0})}


VERBS = (
    prepare, shutdown, receive, start, health, smoke, route, counts, drain, role, ask, retire,
    prune, observe,
)  # fmt: skip


def answer(home: Path, asked: dict[str, Any]) -> dict[str, Any]:
    verb = {verb.__name__: verb for verb in VERBS}[asked["verb"]]
    try:
        if asked["verb"] not in CHANGING:
            return {"answer": verb(home, asked)}
        with locked(home):
            fence(home, asked["epoch"])
            return {"answer": verb(home, asked)}
    except Refusal as refusal:
        return {"refusal": refusal.kind, "message": str(refusal)}


if __name__ == "__main__":
    if sys.argv[1] == "exec":
        execute(Path(sys.argv[2]), sys.argv[3])
    json.dump(answer(Path(sys.argv[1]), json.load(sys.stdin)), sys.stdout)
