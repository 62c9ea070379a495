"""shop.yaml: what is wrong is named with line, field, value and limit, all at once."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from blocks.shopfile import configuration_digest, load, schema
from domain.errors import BadInput

SAMPLE = Path(__file__).parents[2] / "examples" / "shop" / "shop.yaml"


def refused(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as refusal:
        load(path)
    return refusal.value.objections


def changed(old: str, new: str) -> str:
    text = SAMPLE.read_text()
    assert old in text
    return text.replace(old, new)


def test_the_sample_is_valid_also_by_the_exported_schema() -> None:
    shop = load(SAMPLE)

    jsonschema.validate(yaml.safe_load(SAMPLE.read_text()), schema())

    assert shop.route == ("staging", "production")
    assert configuration_digest(shop) == configuration_digest(load(SAMPLE))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "      min_coverage_percent: 50",
            "      min_coverge_percent: 50",
            "services.storefront.test.min_coverge_percent is not known;"
            " did you mean 'min_coverage_percent'?",
        ),
        (
            "max_error_rate: 0.03",
            "max_error_rate: 7",
            "shop.yaml:14: services.storefront.max_error_rate is 7:"
            " input should be less than or equal to 1",
        ),
        ("kind: web", "kind: wobble", "services.storefront.kind is 'wobble'"),
        ("route: [staging, production]", "route: [stagin]", "route.0 is 'stagin', known are"),
        ("weights: [20, 50, 100]", "weights: [50, 10]", "weights must rise and end with 100"),
        ("shop: sample-shop", "shop: sample-shop\nshop: twice", "shop is given twice"),
        ("repository: .", "", "repository is missing"),
        ("service: storefront", "service: shop", "migrations.service is 'shop', known are"),
        ("shop: sample-shop", "shop: 'Sample Shop'", "shop is 'Sample Shop': a name has"),
        (
            "hosts: [{name: production-1}]",
            "hosts: [{name: production-1, address: 10.0.0.5}]",
            "environments.production.hosts.0.address is '10.0.0.5',"
            " environments.production.ssh is missing",
        ),
        (
            "hosts: [{name: production-1}]",
            "hosts: [{name: production-1, address: 10.0.0.5}]\n    ssh: {key: k}",
            "environments.production.hosts.0.host_key is '': the host's own line is needed",
        ),
        (
            "hosts: [{name: production-1}]",
            "hosts: [{name: production-1, jump: nowhere}]",
            "environments.production.hosts.0.jump is 'nowhere', known are production-1",
        ),
        (
            "hosts: [{name: production-1}]",
            "hosts: [{name: production-1}]\n    rollout: {max_unavailable: some}",
            "environments.production.rollout.max_unavailable is 'some': a number of hosts",
        ),
        (
            "kind: worker\n    alone: true",
            "kind: job",
            "services.order-sync.schedule is missing: a job has one",
        ),
        (
            "kind: worker\n    alone: true",
            "kind: job\n    schedule: {cron: '0 2 * *', time_zone: Mars/Base}",
            "services.order-sync.schedule.cron is '0 2 * *': five fields are needed",
        ),
        (
            "kind: worker\n    alone: true",
            "kind: job\n    schedule: {cron: '0 2 * * *', time_zone: Mars/Base}",
            "services.order-sync.schedule.time_zone is 'Mars/Base': no IANA time zone",
        ),
        (
            "branch: main",
            "branch: main\nnightly: {until: nowhere}",
            "nightly.until is 'nowhere', known are staging, production",
        ),
        (
            "smoke: {command: [python, -m, storefront.smoke]}",
            "smoke: {command: []}",
            "migrations.smoke.command is empty: at least 1 word is needed",
        ),
        (
            "smoke: {command: [python, -m, storefront.smoke]}",
            "masks: {email: 'NULL'}",
            "migrations.masks has 'email': table.column or schema.table.column is needed",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = refused(tmp_path, changed(old, new))

    assert any(said in line for line in found), found
    assert all(line.startswith("shop.yaml:") for line in found)


def channel(fields: str) -> str:
    """The sample with one more channel in production."""
    return changed("    channels:\n", f"    channels:\n      other: {{endpoint: here, {fields}}}\n")


AMAZON = "token_endpoint: t, marketplace: m, client_id: a, client_secret: b, refresh_token: c"
MAGENTO = "username: a, password: b"


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("amazon", AMAZON),
        ("ebay", "client_id: a, client_secret: b, refresh_token: c"),
        ("shopee", "partner_id: '1', partner_key: b, shop_id: '2', refresh_token: c"),
        ("shopify", "location_id: '1', access_token: c"),
        ("magento", MAGENTO),
    ],
)
def test_every_kind_of_channel_has_its_own_fields(tmp_path: Path, kind: str, own: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(channel(f"kind: {kind}, time_zone: Asia/Jakarta, {own}"))

    read = load(path).environments["production"].channels["other"]

    jsonschema.validate(yaml.safe_load(path.read_text()), schema())
    assert (read.kind, read.time_zone, read.budget_share) == (kind, "Asia/Jakarta", 0.5)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("kind: amazone", ".kind is 'amazone', known are amazon, ebay, shopee, shopify, magento"),
        ("username: a", ".kind is missing"),
        (
            f"kind: magento, {MAGENTO}, budget_shar: 0.5",
            ".budget_shar is not known; did you mean 'budget_share'?",
        ),
        (
            f"kind: magento, {MAGENTO}, xyz: 1",
            ".xyz is not known; known are endpoint, time_zone, budget_share, wait_seconds, kind,"
            " store, website, source, username, password, token",
        ),
        (
            f"kind: magento, {MAGENTO}, budget_share: 0",
            ".budget_share is 0: input should be greater than or equal to 0.01",
        ),
        (
            "kind: ebay, client_id: a, client_secret: b",
            ".refresh_token is missing",
        ),
        (
            "kind: magento, username: a",
            ".token is missing: it or a username and a password is needed",
        ),
        (
            f"kind: magento, {MAGENTO}, time_zone: Mars/Base",
            ".time_zone is 'Mars/Base': no IANA time zone",
        ),
        (
            f"kind: amazon, {AMAZON}, fulfilment: merchant",
            ".seller_id is missing: a merchant's own stock is found by it",
        ),
        (
            "kind: shopify, client_id: only",
            ".access_token is missing: it or a client_id and a client_secret is needed",
        ),
    ],
)
def test_what_is_wrong_with_a_channel_is_named(tmp_path: Path, fields: str, said: str) -> None:
    text = channel(fields)
    line = text[: text.index("      other:")].count("\n") + 1

    found = refused(tmp_path, text)

    assert found == (f"shop.yaml:{line}: environments.production.channels.other{said}",)


def test_all_objections_come_at_once(tmp_path: Path) -> None:
    text = changed("max_error_rate: 0.03", "max_error_rate: 7").replace("kind: web", "kind: x")

    assert len(refused(tmp_path, text)) == 2


def test_what_is_not_yaml_or_not_there_is_said_so(tmp_path: Path) -> None:
    assert "is not YAML" in refused(tmp_path, "a: [")[0]
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / "nowhere.yaml")
