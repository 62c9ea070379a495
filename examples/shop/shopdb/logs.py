"""Log lines as JSON with ECS's names, on standard error: one object a line."""

import json
import logging
import os
from datetime import UTC, datetime


class Ecs(logging.Formatter):
    """What Tradewind told this process about itself is in every line."""

    def __init__(self):
        super().__init__()
        known = {
            "service.name": os.environ.get("TRADEWIND_SERVICE"),
            "service.version": os.environ.get("TRADEWIND_VERSION"),
            "service.environment": os.environ.get("TRADEWIND_ENVIRONMENT"),
        }
        self._own = {name: value for name, value in known.items() if value}

    def format(self, record):
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line = {
            "@timestamp": at.replace("+00:00", "Z"),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "log.logger": record.name,
            **self._own,
        }
        if record.exc_info:
            kind, error, _ = record.exc_info
            line["error.type"], line["error.message"] = kind.__name__, str(error)
            line["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def begin():
    """This process's log lines, warnings and worse of libraries too, are written so."""
    handler = logging.StreamHandler()
    handler.setFormatter(Ecs())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
