"""``python -m deployments.gateway``: serves one shop's gateway until it is told to end."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.settings import api_of, state_of, use
from domain.access.gateway import GatewaySettings
from domain.errors import BadInput

if TYPE_CHECKING:
    from blocks.shop import Live

Shop = Annotated[Path, typer.Option(help="The shop's file.", envvar="TRADEWIND_SHOP")]


def main(shop: Shop = Path("shop.yaml")) -> None:
    """As ``gateway`` in shop.yaml says; Prefect, ledger and keys are those of the shop's stack."""
    use(state_of(shop))
    from blocks import logs
    from blocks.errors_reported import report_errors
    from blocks.people import People, Tokens
    from blocks.shop import Live
    from deployments.gateway import Behind, create
    from deployments.gateway.lent import Lent
    from deployments.gateway.serving import server
    from deployments.people import key_of

    logs.structured("tradewind.gateway")
    live, state = Live(shop, state_of(shop)), state_of(shop)
    logs.begin(live.shop.logs, live.reference, state, "tradewind.gateway")
    report_errors(live, "gateway")
    settings = resolved(live)
    prefect = api_of(state).removesuffix("/api")
    behind = Behind(prefect, live.shop.shop, live.shop.route, tuple(live.shop.services))
    people, tokens = People(live.ledger_url, key_of(state)), Tokens(live.ledger_url)
    server(create(settings, people, tokens, behind, Lent(live)), settings).run()


def resolved(live: "Live") -> GatewaySettings:
    """The shop's settings with their references; BadInput where shop.yaml has none."""
    declared = live.shop.gateway
    if declared is None:
        raise BadInput(f"gateway is missing in {live.path.name}: there is nothing to serve")
    oidc = declared.oidc
    return replace(
        declared,
        tls_certificate=live.reference(declared.tls_certificate),
        tls_key=live.reference(declared.tls_key),
        oidc=replace(oidc, client_secret=live.reference(oidc.client_secret)) if oidc else None,
    )


if __name__ == "__main__":
    typer.run(main)
