"""``tradewind logs``: what flows, agents and services wrote, by time, without secrets."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import yaml
from fastapi import FastAPI, Request
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import logs as shipped
from blocks.artifacts import Artifacts
from blocks.ledger.releases import Cut
from blocks.logs import labelled
from blocks.shop import Live
from deployments.logs import lines
from deployments.settings import state_of
from domain.errors import BadInput, Refused
from domain.logs.merging import Wanted, shown
from domain.logs.record import stamp
from tasks.logs import collect_output
from tests.blocks.test_host import placed, server
