"""A background worker: passes over its work, stands by when told to, and says how far it is."""

import logging
import os
import threading
from pathlib import Path

import psycopg

from shopdb import connect, errors
from shopdb.pages import Pages, serve

PASS_SECONDS = 0.5
LOG = logging.getLogger("shop")


class Worker:
    """Runs ``once(connection) -> watermark`` again and again, as the only one of its name."""

    def __init__(self, name, once):
        self.name = name
        self.once = once
        self.role = stored_role()
        self.passes = 0
        self.watermark = None
        self.problem = ""
        self._turn = threading.Lock()
        self._lock_connection = None

    def run(self):
        """Works in the background; answers over HTTP until SIGTERM."""
        over = threading.Event()
        loop = threading.Thread(target=self._loop, args=(over,))
        loop.start()
        try:
            serve(pages_of(self))
        finally:
            over.set()
            loop.join()

    def drain(self):
        """Ends the pass under way, then stands by."""
        with self._turn:
            self.role = "standby"
            self._let_go()
        return self.state()

    def resume(self):
        self.role = "working"
        return self.state()

    def state(self):
        return {
            "version": os.environ.get("TRADEWIND_VERSION", ""),
            "role": self.role,
            "watermark": self.watermark and self.watermark.isoformat(),
            "passes": self.passes,
            "problem": self.problem,
        }

    def _loop(self, over):
        while not over.wait(PASS_SECONDS):
            with self._turn:
                self.tick()
        self._let_go()

    def tick(self):
        """One pass, if it is this worker's turn; a failure is said, and tried again."""
        try:
            if self.role == "working" and self._alone():
                with connect() as connection:
                    self.watermark = self.once(connection) or self.watermark
                self.passes += 1
                self.problem = ""
        except (OSError, ValueError, psycopg.Error) as error:
            self.problem = f"{type(error).__name__}: {error}"
            errors.caught(error)
            LOG.warning("a pass failed: %s", self.problem)
            self._let_go()

    def _alone(self):
        """Holds the database's lock of this name; whoever dies loses it."""
        if self._lock_connection is None:
            self._lock_connection = connect(autocommit=True)
        if not getattr(self, "_held", False):
            query = "SELECT pg_try_advisory_lock(hashtext(%s)) AS held"
            self._held = self._lock_connection.execute(query, [self.name]).fetchone()["held"]
        return self._held

    def _let_go(self):
        if self._lock_connection is not None:
            self._lock_connection.close()
        self._lock_connection = None
        self._held = False


def stored_role():
    """As the host says, so that a restart changes nothing."""
    path = os.environ.get("TRADEWIND_ROLE_FILE")
    return Path(path).read_text().strip() if path and Path(path).exists() else "working"


def pages_of(worker):
    class WorkerPages(Pages):
        def do_GET(self):
            known = self.path in ("/health", "/watermark")
            self.answer(200 if known else 404, worker.state() if known else {"error": "no page"})

        def do_POST(self):
            self.body()
            verb = {"/drain": worker.drain, "/resume": worker.resume}.get(self.path)
            self.answer(200 if verb else 404, verb() if verb else {"error": "no page"})

    return WorkerPages
