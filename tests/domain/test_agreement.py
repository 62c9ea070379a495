"""Agreement of a server with shop.yaml, and the choices its forms offer."""

from domain.agreement import differences, with_choices

FORM = {
    "properties": {"request": {"$ref": "#/definitions/Request"}},
    "definitions": {
        "Request": {
            "properties": {
                "services": {"type": "array", "items": {"type": "string"}, "default": []},
                "until": {"type": "string", "default": ""},
                "version": {"type": "string"},
                "reason": {"type": "string"},
            }
        }
    },
}


def test_what_agrees_makes_no_difference() -> None:
    assert differences({"limit a": {"limit": 1}}, {"limit a": {"limit": 1, "note": "x"}}) == ()


def test_what_is_missing_is_created_and_what_differs_is_named() -> None:
    found = differences(
        {"block a": {"path": "x"}, "limit b": {"limit": 1}}, {"limit b": {"limit": 3}}
    )

    assert [str(one) for one in found] == ["create block a", "change limit b (limit)"]


def test_a_form_offers_exactly_the_choices() -> None:
    form = with_choices(
        FORM, {"services": ("a", "b"), "until": ("staging",), "version": ("2026.11.24.1",)}
    )

    fields = form["definitions"]["Request"]["properties"]
    assert fields["services"]["items"]["enum"] == ["a", "b"]
    assert fields["until"]["enum"] == ["", "staging"]
    assert fields["version"]["enum"] == ["2026.11.24.1"]
    assert "enum" not in fields["reason"]


def test_choices_replace_older_choices() -> None:
    once = with_choices(FORM, {"version": ("2026.11.24.1",)})

    twice = with_choices(once, {"version": ("2026.11.24.2",)})

    assert twice["definitions"]["Request"]["properties"]["version"]["enum"] == ["2026.11.24.2"]
