"""Hosts over SSH: one connection a host, its key pinned, one forced command, no shell."""

import base64
import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import paramiko
from paramiko.ssh_exception import BadHostKeyException, ChannelException, SSHException

from blocks.hosts.agent_host import AgentHost
from blocks.hosts.conversation import Conversation, Stream
from domain.errors import BadInput, Refused, Unavailable
from domain.shop import Host, Ssh

CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")
KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
KEEPALIVE_SECONDS = 15
PROBE_SECONDS = 5.0
PROHIBITED = paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
READ_BYTES = 1 << 16
WINDOW_BYTES = 1 << 22
PACKET_BYTES = 1 << 15


@dataclass(frozen=True)
class Account:
    """How an environment's hosts are reached; ``key`` is the private key's text."""

    ssh: Ssh
    key: str


class Door:
    """Opens streams to one host. Refused for a host key that is not the pinned one."""

    def __init__(self, declared: Host, account: Account, jump: Host | None) -> None:
        self.declared = declared
        self.account = account
        self._jump = jump

    def open(self) -> Stream:
        clients: list[paramiko.SSHClient] = []
        try:
            beyond = None
            if self._jump is not None:
                clients.append(self._connected(self._jump, self._socket(self._jump)))
                beyond = self._through(clients[0])
            clients.append(self._connected(self.declared, beyond or self._socket(self.declared)))
            return SshStream(clients, self.account.ssh.connect_seconds)
        except SSHException as error:
            close(clients)
            raise ConnectionError(str(error)) from error
        except BaseException:
            close(clients)
            raise

    def _socket(self, host: Host) -> socket.socket:
        """Small packets leave at once: paramiko would let Nagle's algorithm hold them."""
        seconds = self.account.ssh.connect_seconds
        opened = socket.create_connection((host.address, host.port), timeout=seconds)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _through(self, client: paramiko.SSHClient) -> paramiko.Channel:
        transport = client.get_transport()
        assert transport is not None  # it is connected
        there = (self.declared.address, self.declared.port)
        seconds = self.account.ssh.connect_seconds
        return transport.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=seconds)

    def _connected(self, host: Host, opened: Any) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        pinned = public_key(host)
        client.get_host_keys().add(_known_as(host), pinned.get_name(), pinned)
        seconds = self.account.ssh.connect_seconds
        try:
            client.connect(
                host.address, host.port, host.user, pkey=private_key(self.account.key),
                sock=opened, transport_factory=_transport(pinned.get_name()), allow_agent=False,
                look_for_keys=False, timeout=seconds, banner_timeout=seconds, auth_timeout=seconds,
            )  # fmt: skip
        except BadHostKeyException as error:
            client.close()
            raise Refused(f"{host.name}: {_changed(error, host)}") from error
        except paramiko.AuthenticationException as error:
            client.close()
            raise Refused(f"{host.name}: {host.user}'s key is not accepted: {error}") from error
        except SSHException as error:
            client.close()
            if "Incompatible ssh peer (no acceptable host key)" in str(error):
                raise Refused(f"{host.name}: {_changed(error, host)}") from error
            raise Unavailable(f"{host.name}: {error}") from error
        return client

    def loose_ends(self) -> tuple[str, ...]:
        """What the key may do on the host besides its one command; () as it should be."""
        stream = self.open()
        assert isinstance(stream, SshStream)  # ours
        try:
            return tuple(stream.loose_ends())
        finally:
            stream.close()


def ssh_host(door: Door) -> AgentHost:
    """The host's agent behind its door; nothing is connected before it is asked."""
    declared = door.declared
    conversation = Conversation(declared.name, door.open, door.account.ssh.step_seconds)
    tools = {
        "python": "python3",
        "supervisord": "supervisord",
        "envoy": "envoy",
        "haproxy": "haproxy",
        **declared.tools,
        "proxy": declared.proxy,
        "engine": declared.engine,
    }
    return AgentHost(conversation, tools)


def _changed(error: Exception, host: Host) -> str:
    return (
        f"the host key is not the pinned one, nothing was sent ({error});"
        f" if {host.name} was made anew, put its new key into shop.yaml"
    )


def _known_as(host: Host) -> str:
    """As paramiko looks a host's key up."""
    return host.address if host.port == 22 else f"[{host.address}]:{host.port}"


def _transport(key_type: str) -> Callable[..., paramiko.Transport]:
    """AES-GCM first, and only the pinned key's own type."""

    def made(*arguments: Any, **named: Any) -> paramiko.Transport:
        transport = paramiko.Transport(
            *arguments,
            default_window_size=WINDOW_BYTES,
            default_max_packet_size=PACKET_BYTES,
            **named,
        )
        options = transport.get_security_options()
        options.ciphers = CIPHERS
        transport.set_keepalive(KEEPALIVE_SECONDS)
        return transport

    return made


def public_key(host: Host) -> paramiko.PKey:
    """The pinned key; BadInput when it is no key."""
    try:
        kind, text = host.host_key.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(text))
    except Exception as error:
        raise BadInput(
            f"host_key of {host.name} is {host.host_key[:40]!r}: a line like"
            " 'ssh-ed25519 AAAA…' is needed"
        ) from error


def private_key(text: str) -> paramiko.PKey:
    """Of any kind that we take; BadInput, which never shows it, when it is none."""
    for kind in KEYS:
        try:
            return kind.from_private_key(io.StringIO(text))
        except (SSHException, ValueError):
            continue
    kinds = ", ".join(kind.__name__.removesuffix("Key") for kind in KEYS)
    raise BadInput(f"the environment's ssh.key is no private key of the kinds {kinds}")


class SshStream:
    """See ``blocks.hosts.conversation.Stream``: one channel on a connection of its own."""

    def __init__(self, clients: list[paramiko.SSHClient], limit_seconds: float) -> None:
        self._clients = clients
        transport = clients[-1].get_transport()
        assert transport is not None  # it is connected
        self._channel = transport.open_session(timeout=limit_seconds)
        self._channel.exec_command("tradewind-agent")

    def send(self, block: bytes, limit_seconds: float) -> None:
        self._channel.settimeout(limit_seconds)
        self._channel.sendall(block)

    def receive(self, limit_seconds: float) -> bytes:
        self._channel.settimeout(limit_seconds)
        return bytes(self._channel.recv(READ_BYTES))

    def complaint(self) -> str:
        """What the host wrote to its error output."""
        self._channel.settimeout(0.2)
        try:
            said = bytes(self._channel.recv_stderr(READ_BYTES))
            return said.decode(errors="replace")[-1500:]
        except OSError:
            return ""

    def close(self) -> None:
        close(self._clients)

    def loose_ends(self) -> Iterator[str]:
        transport = self._clients[-1].get_transport()
        assert transport is not None  # it is connected
        here = ("127.0.0.1", 22)
        try:
            transport.open_channel("direct-tcpip", here, here, timeout=PROBE_SECONDS).close()
            yield "may forward ports"
        except ChannelException as error:
            if error.code != PROHIBITED:
                yield "may forward ports"
        try:
            transport.open_session(timeout=PROBE_SECONDS).get_pty()
            yield "may open a terminal"
        except SSHException:
            pass


def close(clients: list[paramiko.SSHClient]) -> None:
    """The last first: it may go through the ones before."""
    for client in reversed(clients):
        client.close()
