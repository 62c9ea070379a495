"""Runs as the command line, the demo and the tests start, follow and answer them."""

from blocks.prefect_runs import Ended, answer, follow, start, state

__all__ = ["Ended", "answer", "follow", "start", "state"]
