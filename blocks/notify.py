"""The people to be told: sends each target its notice, and nobody waits long for a dead chat."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from blocks.chats import deliver
from blocks.ledger.notices import Notices
from domain.errors import BadInput
from domain.notices.messages import Facts, told
from domain.notices.schedule import Notice, Topic
from domain.notices.settings import Target

DEADLINE_SECONDS = 10.0
Answers = SimpleQueue[tuple[int, str]]


@dataclass(frozen=True)
class Sent:
    """What an attempt came to: ``reason`` says why it was not delivered, without any secret."""

    notice: Notice
    reason: str

    @property
    def delivered(self) -> bool:
        return not self.reason


class Notifier:
    """The targets of a shop, what they were told, and how the references to them are resolved."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        resolve: Callable[[str], str],
        notices: Notices,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._targets = targets
        self._resolve = resolve
        self._notices = notices
        self._deadline_seconds = deadline_seconds

    def tell(self, topic: Topic, facts: Facts) -> tuple[Sent, ...]:
        """Once to each target that wants to know; asked again, only what is new to one is sent.

        Raises Unavailable when the ledger's database does not answer.
        """
        self._notices.enqueue(
            Notice(topic, name, told(topic.event, facts, target.language, topic.reminder))
            for name, target in self._targets.items()
            if target.wants(topic.event, facts.environment)
        )
        return self._send(self._notices.claim(self._targets, topic))

    def retry(self) -> tuple[Sent, ...]:
        """What was not delivered and may be tried again by now."""
        return self._send(self._notices.claim(self._targets))

    def _send(self, notices: Sequence[Notice]) -> tuple[Sent, ...]:
        """All at once. One that takes longer than the deadline may still come, and come twice."""
        answers: Answers = SimpleQueue()
        for number, notice in enumerate(notices):
            work = (number, notice, answers)
            Thread(target=self._attempt, args=work, daemon=True, name="notice").start()
        reasons = self._collected(answers, len(notices))
        sent = tuple(map(Sent, notices, reasons))
        for one in sent:
            self._notices.record(one.notice, one.reason)
        return sent

    def _attempt(self, number: int, notice: Notice, answers: Answers) -> None:
        try:
            address = self._resolve(self._targets[notice.target].url)
        except BadInput as error:
            answers.put((number, str(error)))
        else:
            answers.put((number, deliver(address, notice.message)))

    def _collected(self, answers: Answers, count: int) -> Sequence[str]:
        reasons = [f"it did not answer within {self._deadline_seconds:g} s"] * count
        until = time.monotonic() + self._deadline_seconds
        for _ in range(count):
            try:
                number, reason = answers.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            reasons[number] = reason
        return reasons
