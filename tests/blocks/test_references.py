"""References: resolved when used, and never shown."""

from pathlib import Path

import pytest

from blocks.references import resolve
from domain.errors import BadInput


def test_variables_and_files_are_put_in(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")

    found = resolve("${env:NAME}:${file:token}", tmp_path, {"NAME": "shop"})

    assert found == "shop:s3cret"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${env:NONE}", "NONE is not set"),
        ("${file:none}", "No such file"),
        ("${file:../x}", "outside"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        resolve(text, tmp_path, {})
