"""From a commit to an artifact, on real git, uv and pytest."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from blocks.artifacts import Artifacts, Ingredients, digest_of_file
from blocks.environments import Environments
from blocks.gates import GateRun, run_gate
from blocks.source import Repository
from deployments.stack.processes import until
from domain.artifact import tied
from domain.errors import BadInput, Failed
from domain.shop import Gate

PASSING = "def test_one():\n    assert True\n"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder = tmp_path / "repository"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "test_shop.py").write_text(PASSING)
    (folder / "other.txt").write_text("1")
    git(folder, "init", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return Repository(folder)


@pytest.fixture
def gate_run(tmp_path: Path) -> GateRun:
    """A gate whose site is this very environment's pytest."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "test_shop.py").write_text(PASSING)
    gate = Gate(("python", "-m", "pytest", "-q"), "unused", timeout_seconds=30)
    site = Path(pytest.__file__).parents[1]
    return GateRun("shop", gate, source, site, "sha256:s", "sha256:r", {}, tmp_path / "reports")


def test_a_ref_becomes_the_commit_it_names(repository: Repository) -> None:
    commit = repository.resolve("main")

    assert repository.resolve(commit[:10]) == commit
    assert repository.is_ancestor(commit, commit)
    assert repository.subject(commit) == "first"


@pytest.mark.parametrize("ref", ["--upload-pack=x", "$(touch x)", "a b", "", "nowhere", "-n"])
def test_a_ref_that_is_none_is_refused(repository: Repository, ref: str) -> None:
    with pytest.raises(BadInput, match="ref is"):
        repository.resolve(ref)


def test_only_the_named_paths_are_exported_and_count(
    repository: Repository, tmp_path: Path
) -> None:
    before = repository.tree_digest("main", ["shop"])
    (repository.path / "other.txt").write_text("2")
    git(repository.path, "commit", "-am", "second")

    repository.export("main", ["shop"], tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["shop"]
    assert repository.tree_digest("main", ["shop"]) == before
    with pytest.raises(BadInput, match="'nowhere': not in commit"):
        repository.export("main", ["nowhere"], tmp_path / "out")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../out"])
def test_a_link_that_leads_out_of_the_commit_is_refused(
    repository: Repository, tmp_path: Path, target: str
) -> None:
    (repository.path / "shop" / "link").symlink_to(target)
    git(repository.path, "add", "--all")
    git(repository.path, "commit", "-m", "a link")

    with pytest.raises(BadInput, match=f"shop/link is a link to '{target}'"):
        repository.export("main", ["shop"], tmp_path / "export")


def test_a_gate_counts_what_it_executed(gate_run: GateRun) -> None:
    evidence = run_gate(gate_run)

    assert evidence.reasons == ()
    assert evidence.counted.executed == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no test was executed"),
        ("import pytest\n@pytest.mark.skip\ndef test_one(): ...\n", "no test was executed"),
        ("def test_one(): assert False\n", "1 of 1 tests failed"),
        ("import nowhere\n", "1 of 1 tests failed"),
    ],
)
def test_a_gate_that_shows_nothing_good_fails(gate_run: GateRun, content: str, said: str) -> None:
    (gate_run.source / "test_shop.py").write_text(content)

    assert any(said in reason for reason in run_gate(gate_run).reasons)


def test_too_little_coverage_fails(gate_run: GateRun) -> None:
    (gate_run.source / "code.py").write_text(
        "def f(x):\n    if x:\n        return 1\n    return 2\n"
    )
    (gate_run.source / "test_shop.py").write_text("import code\ndef test_one(): pass\n")
    command = (*gate_run.gate.command, "--cov=code")
    gate = replace(gate_run.gate, command=command, min_coverage_percent=99)

    reasons = run_gate(replace(gate_run, gate=gate)).reasons

    assert any("against 99.00 %" in reason for reason in reasons), reasons


def test_a_hung_gate_ends_with_its_whole_process_group(gate_run: GateRun, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    (gate_run.source / "test_shop.py").write_text(
        "import subprocess, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "def test_hangs():\n"
        f"    child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(99)'])\n"
        f"    open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "    child.wait()\n"
    )
    gate = replace(gate_run.gate, timeout_seconds=3)

    evidence = run_gate(replace(gate_run, gate=gate))

    assert any("hung" in reason for reason in evidence.reasons)
    assert until(lambda: _gone(int(pid_file.read_text())), 5)


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def requirements(folder: Path, digest: str) -> Path:
    path = folder / "requirements.lock"
    path.write_text(f"iniconfig==2.1.0 --hash=sha256:{digest}\n")
    return path


GOOD = "9deba5723312380e77435581c6bf4935c94cbfab9b1ed33ef8d238ea168eb760"


def test_requirements_are_installed_once_or_not_at_all(tmp_path: Path) -> None:
    environments = Environments(tmp_path / "environments")

    site = environments.site(requirements(tmp_path, GOOD))
    again = environments.site(requirements(tmp_path, GOOD))
    with pytest.raises(Failed, match=r"(?i)hash"):
        environments.site(requirements(tmp_path, "0" * 64))

    assert site == again
    assert (site / "iniconfig").is_dir()
    left = [path for path in environments.folder.iterdir() if path.is_dir()]
    assert left == [site]


def ingredients(tmp_path: Path, name: str) -> Ingredients:
    """The same content, installed and exported at another place and time."""
    folder = tmp_path / name
    source, site = folder / "source", folder / "site"
    (source / "shop" / "bin").mkdir(parents=True)
    (source / "shop" / "bin" / "run").write_text("print(1)")
    (source / "shop" / "app.py").write_text("print(1)")
    (site / "bin").mkdir(parents=True)
    (site / "bin" / "tool").write_text(f"#!{folder}")
    (site / "x.dist-info").mkdir()
    (site / "x.dist-info" / "METADATA").write_text("Name: x")
    (site / "x.dist-info" / "direct_url.json").write_text(str(folder))
    os.utime(source / "shop" / "app.py", (1, len(name)))
    return Ingredients("shop", source, site, "sha256:s", "sha256:r")


def test_the_same_content_gives_the_same_digest(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "artifacts")

    first = artifacts.build(ingredients(tmp_path, "here"))
    second = artifacts.build(ingredients(tmp_path, "elsewhere"))

    assert first == second
    files = artifacts.parcel(first.digest).listing["files"]
    assert [(file[0], file[1]) for file in files] == [
        ("app/shop/app.py", False),
        ("app/shop/bin/run", False),
        ("site/x.dist-info/METADATA", False),
    ]  # fmt: skip


def test_a_damaged_artifact_is_never_handed_out(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "artifacts")
    made = artifacts.build(ingredients(tmp_path, "here"))
    file = artifacts.parcel(made.digest).listing["files"][0]
    piece = artifacts.pieces / file[3]
    content = bytearray(piece.read_bytes())
    content[0] ^= 1
    piece.write_bytes(content)

    with pytest.raises(BadInput, match="damaged: piece"):
        artifacts.parcel(made.digest)
    with pytest.raises(BadInput, match="is not in"):
        artifacts.parcel("sha256:" + "0" * 64)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "artifacts")
    made_of = ingredients(tmp_path, "here")
    (made_of.source / "big").write_bytes(os.urandom(200_000))

    with limited_files(50_000), pytest.raises(OSError, match="File too large"):
        artifacts.build(made_of)

    assert list(artifacts.folder.iterdir()) == [artifacts.pieces]
    assert all(digest_of_file(piece) == piece.name for piece in artifacts.pieces.iterdir())


@contextmanager
def limited_files(most_bytes: int) -> Iterator[None]:
    """Writes beyond fail as they do on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_evidence_speaks_only_of_what_was_tested(gate_run: GateRun, tmp_path: Path) -> None:
    evidence = run_gate(gate_run)
    made = Artifacts(tmp_path / "artifacts").build(ingredients(tmp_path, "here"))

    assert tied(evidence, made) == ()
    assert tied(evidence, replace(made, source_digest="sha256:other")) != ()
