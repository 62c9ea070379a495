"""A child process: Great Expectations on the violations that persist, JSON in and JSON out.

Its import takes 2.4 s and 258 MB, which end with the process.
"""

import json
import os
import sys
from typing import Any

MOST_PROBLEM_CHARACTERS = 300


def evaluated(asked: dict[str, Any]) -> dict[str, Any]:
    """Per check how many rows it did not expect, or the first ``problem`` that makes all unknown.

    ``asked`` has the table's address (``url``, ``schema``, ``table``), how many ``rows`` it has to
    have, and per check the query of its unexpected rows. A table of another size, or a query that
    fails, is a problem: neither is a pass.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.core import (
        ExpectTableRowCountToEqual,
        UnexpectedRowsExpectation,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_sql(  # add_postgres takes no Unix socket
        "ledger", connection_string=asked["url"]
    )
    asset = source.add_table_asset(
        asked["table"], table_name=asked["table"], schema_name=asked["schema"]
    )
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    whole = batch.validate(ExpectTableRowCountToEqual(value=asked["rows"]))
    if not whole.success:
        seen = _problem(whole) or f"{whole.result.get('observed_value')} rows"
        return {"problem": f"{seen} where {asked['rows']} were to be judged"}
    found = {}
    for check, query in asked["queries"].items():
        expectation = UnexpectedRowsExpectation(unexpected_rows_query=query, description=check)
        result = batch.validate(expectation, result_format="BASIC")
        problem = _problem(result)
        if problem:
            return {"problem": f"{check} could not be evaluated: {problem}"}
        found[check] = int(result.result["observed_value"])
    return {"found": found, "problem": ""}


def _problem(result: Any) -> str:
    """The nested exception's message, if the query itself failed."""
    for one in (result.exception_info or {}).values():
        if isinstance(one, dict) and one.get("raised_exception"):
            return str(one.get("exception_message", "unknown"))[:MOST_PROBLEM_CHARACTERS]
    return ""


if __name__ == "__main__":
    print(json.dumps(evaluated(json.load(sys.stdin))))
