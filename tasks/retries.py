"""How steps are retried: only what may pass by itself, a few times, with growing pauses."""

from typing import Any

from prefect.cache_policies import NO_CACHE

from domain.errors import Unavailable


def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """An outside system that did not answer is worth a retry; a refusal or a verdict is not."""
    try:
        state.result()
    except Unavailable:
        return True
    except Exception:  # any other failure is final for this attempt
        return False
    return False


STEP: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 3,
    "retry_delay_seconds": [1, 3, 10],
    "retry_condition_fn": _may_pass,
}
"""A forward step: retried while the outside is away."""

RESTORATION: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 5,
    "retry_delay_seconds": [0.5, 1, 2, 5, 10],
}
"""A restoration: retried whatever happened; afterwards a person is called."""
