"""Images built on a real engine and moved through a real registry, or taken apart into pieces."""

import shutil
from pathlib import Path

import pytest

from blocks.artifacts import digest_of_file
from blocks.hosts.agent import images as on_host
from blocks.images import Images, RegistryAccount
from deployments.stack.processes import until
from domain.errors import BadInput, Failed, Refused, Unavailable
from tests.engines import BASE, PASSWORD, USER, Engine, Registry, sample
from tests.sshd import free_port


@pytest.fixture
def images(builder: Engine, tmp_path: Path) -> Images:
    return Images(builder.address, tmp_path / "pieces")


@pytest.fixture
def account(registry: Registry) -> RegistryAccount:
    return RegistryAccount(registry.address, USER, PASSWORD)


def folder_with(place: Path, *lines: str) -> Path:
    """A build's context with nothing but a Dockerfile."""
    place.mkdir()
    (place / "Dockerfile").write_text("\n".join((f"FROM {BASE}", *lines)))
    return place


def known_to(engine: Engine) -> set[str]:
    """Every image and what it was made from."""
    return set(engine.docker("images", "--all", "--quiet", "--no-trunc").stdout.split())


def test_the_same_source_is_built_once(builder: Engine, images: Images) -> None:
    first = images.build(sample("1"))
    known = known_to(builder)

    again = images.build(sample("2"))

    assert again == first
    assert known_to(builder) == known


def test_other_source_or_another_argument_is_another_image(images: Images) -> None:
    first = images.build(sample("1"))

    others = {
        images.build(sample("1", source="other")).digest,
        images.build(sample("1", GREETING="welcome")).digest,
    }

    assert len(others | {first.digest}) == 3


def test_an_image_says_what_it_was_made_of(builder: Engine, images: Images) -> None:
    made_of = sample("2026.11.24.1", source="labels")

    built = images.build(made_of)

    labels = builder.inspect(built.digest)["Config"]["Labels"]
    assert labels == {
        "org.tradewind.service": "web",
        "org.tradewind.version": "2026.11.24.1",
        "org.tradewind.release": "2026.11.24.1",
        "org.tradewind.commit": "c0ffee",
        "org.tradewind.source": made_of.source,
        "org.opencontainers.image.title": "web",
        "org.opencontainers.image.version": "2026.11.24.1",
        "org.opencontainers.image.revision": "c0ffee",
        "org.opencontainers.image.created": "2026-11-24T00:00:00+00:00",
    }


def test_a_failing_build_says_the_end_of_its_output(images: Images, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "bad", "RUN echo there is no tea && exit 3")

    with pytest.raises(Failed, match=r"(?s)image of web does not build.*no tea"):
        images.build(sample("1", source="fails", folder=folder))


@pytest.mark.parametrize("step", ["sleep 300", "while sleep 0.1; do echo still here; done"])
def test_a_build_that_does_not_end_is_given_up(
    builder: Engine, images: Images, tmp_path: Path, step: str
) -> None:
    folder = folder_with(tmp_path / "slow", f"RUN {step}")

    with pytest.raises(Failed, match="image of web does not build"):
        images.build(sample("1", source=step, folder=folder), limit_seconds=2)

    assert until(lambda: not builder.docker("ps", "--quiet").stdout, 20)


def test_a_dockerfile_is_one_of_the_commit(images: Images, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "context")
    (folder / "Dockerfile").rename(tmp_path / "elsewhere")
    (folder / "Dockerfile").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BadInput, match=r"image\.dockerfile is 'Dockerfile': no such file"):
        images.build(sample("1", source="outside", folder=folder))


def test_an_image_goes_through_the_registry_by_its_digest(
    builder: Engine, host_engine: Engine, account: RegistryAccount, tmp_path: Path
) -> None:
    images = Images(builder.address, tmp_path, account)
    made_of = sample("1", source="registry")
    built = images.build(made_of)

    pushed = images.push(made_of, built)
    parcel = images.parcel(pushed)
    pulled = on_host.pull(host_engine.socket, parcel.reference, dict(parcel.account))

    assert parcel.reference.startswith(f"{account.address}/web@sha256:")
    assert pulled == parcel.image == built.digest
    assert images.push(made_of, built) == pushed, "asked again, it is the same"


def test_without_the_registrys_credentials_nothing_is_pushed_or_pulled(
    builder: Engine, host_engine: Engine, account: RegistryAccount, tmp_path: Path
) -> None:
    made_of = sample("1", source="secret")
    wrong = RegistryAccount(account.address, USER, "three tea-pots")
    images = Images(builder.address, tmp_path, wrong)
    built = images.build(made_of)

    with pytest.raises(Refused, match="unauthorized") as refused:
        images.push(made_of, built)

    reference = Images(builder.address, tmp_path, account).push(made_of, built).reference
    with pytest.raises(on_host.Refusal, match=r"unauthorized|no basic auth") as not_pulled:
        on_host.pull(host_engine.socket, reference, {"username": USER, "password": "three"})
    assert "three" not in f"{refused.value}{not_pulled.value}{wrong}"
    assert not_pulled.value.kind == "refused"


def test_a_registry_or_an_engine_that_does_not_answer_is_unavailable(
    builder: Engine, images: Images, tmp_path: Path
) -> None:
    made_of = sample("1", source="unavailable")
    built = images.build(made_of)
    nowhere = RegistryAccount(f"127.0.0.1:{free_port()}", USER, PASSWORD)

    with pytest.raises(Unavailable, match=f"registry {nowhere.address}"):
        Images(builder.address, tmp_path, nowhere).push(made_of, built)
    with pytest.raises(Unavailable, match="engine unix:///nowhere"):
        Images("unix:///nowhere", tmp_path).build(made_of)


def test_without_a_registry_an_image_becomes_pieces(images: Images) -> None:
    first = images.parcel(images.build(sample("1", source="pieces")))

    second = images.parcel(images.build(sample("1", source="pieces", GREETING="hi")))

    shared = {file[3] for file in first.listing["files"]} & {
        file[3] for file in second.listing["files"]
    }
    assert max(second.listing["files"], key=lambda file: file[2])[3] in shared, "the base is shared"
    for _, _, size, name in second.listing["files"]:
        assert digest_of_file(second.pieces / name) == name
        assert (second.pieces / name).stat().st_size == size
    assert second.listing["files"][0][3] == second.image.removeprefix("sha256:")


def test_a_damaged_or_missing_piece_is_taken_anew(images: Images) -> None:
    built = images.build(sample("1", source="damaged"))
    parcel = images.parcel(built)
    configuration, lowest, *_, highest = [file[3] for file in parcel.listing["files"]]
    (parcel.pieces / highest).write_bytes(b"not this")
    (parcel.pieces / configuration).unlink()

    again = images.parcel(built)

    assert again == parcel
    assert digest_of_file(parcel.pieces / highest) == highest
    assert not list(parcel.pieces.glob("incomplete-*"))
    assert digest_of_file(parcel.pieces / lowest) == lowest


def test_an_image_that_the_engine_lost_is_bad_input(builder: Engine, images: Images) -> None:
    built = images.build(sample("1", source="lost"))
    builder.docker("rmi", "--force", built.digest)
    shutil.rmtree(images.pieces, ignore_errors=True)

    with pytest.raises(BadInput, match=r"image sha256:\w+ is not in unix://"):
        images.parcel(built)
