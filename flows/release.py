"""A release from commit to customers: cut, test, build, then one environment after another."""

from prefect import flow

from blocks.shop import open_shop
from flows.deploy import deploy
from flows.gate import decided
from tasks.build import build_all, record_manifest
from tasks.cut import ReleaseRequest, cut
from tasks.outcome import Outcome, as_state
from tasks.prepare import prepare
from tasks.record import finish, refused_shown
from tasks.report import publish_report
from tasks.test import test_all


