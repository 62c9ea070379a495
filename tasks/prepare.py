"""Before anything moves: protections, the plan, and the schema change with a proven backup."""

from dataclasses import asdict
from typing import Any

from prefect import task

from blocks.shop import Live
from domain.errors import Failed, Refused
from domain.journal import Approval, Deployment, Release
from domain.migration import Migration
from domain.plan import overtaking, quarantined
from tasks.deployment import Deploying, manifest_of
from tasks.retries import STEP
