"""Great Expectations on a finished comparison: per check, the rows that should not be there."""

import os
from collections.abc import Sequence
from typing import Any

MOST_ROWS = 200


def unexpected(
    url: str, schema: str, checks: Sequence[str]
) -> tuple[dict[str, dict[str, str]], str]:
    """Per check its violating keys with details (at most 200), and why nothing may be concluded.

    An expectation that could not be evaluated makes the answer unknown, never a failure or a pass.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # 2.4 s and 258 MB: only where a comparison is judged
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core import UnexpectedRowsExpectation

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql(  # add_postgres takes no Unix socket
        schema, connection_string=url.replace("postgresql://", "postgresql+psycopg://", 1)
    )
    asset = source.add_table_asset("comparison", table_name="comparison", schema_name=schema)
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    found: dict[str, dict[str, str]] = {}
    for check in checks:
        expectation = UnexpectedRowsExpectation(
            unexpected_rows_query="SELECT key, detail FROM {batch}"
            f" WHERE check_id = '{check}' AND violated ORDER BY key",
            description=check,
        )
        result = batch.validate(expectation, result_format="COMPLETE")
        problem = _problem(result)
        if problem:
            return {}, f"{check} could not be evaluated: {problem}"
        rows = result.result.get("details", {}).get("unexpected_rows", [])
        if not result.success:
            found[check] = {row["key"]: row["detail"] for row in rows[:MOST_ROWS]}
    return found, ""


def _problem(result: Any) -> str:
    """The nested exception's message, if the query itself failed."""
    for one in (result.exception_info or {}).values():
        if isinstance(one, dict) and one.get("raised_exception"):
            return str(one.get("exception_message", "unknown"))[:300]
    return ""
