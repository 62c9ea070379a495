"""How the gateway is served: by uvicorn, with its own limits and without its name."""

import uvicorn
from fastapi import FastAPI

from domain.access.gateway import GatewaySettings

MOST_FRAME_BYTES = 1024 * 1024
IDLE_SECONDS, END_SECONDS, MOST_AT_ONCE = 30, 10, 500


def server(app: FastAPI, settings: GatewaySettings) -> uvicorn.Server:
    """Ready to ``run``; with a certificate it speaks TLS 1.2 and newer.

    Addresses that a proxy forwards are looked at by the gateway itself, so uvicorn must not.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.address,
            port=settings.port,
            ssl_certfile=settings.tls_certificate or None,
            ssl_keyfile=settings.tls_key or None,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            ws_max_size=MOST_FRAME_BYTES,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=END_SECONDS,
            limit_concurrency=MOST_AT_ONCE,
        )
    )
