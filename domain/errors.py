"""The one tree of errors.

TradewindError
├── Refused            nothing was changed; every objection is listed
│   ├── BadInput       a file, form or argument is wrong: field, value, limit
│   └── Fenced         somebody with a newer epoch owns this now
├── Unavailable        an outside system did not answer; worth a retry, nothing is known
└── Failed             something was changed; the message says what was restored
    ├── BadRelease     the release itself is at fault: it is quarantined
    └── Halted         a person is needed; the old version serves
"""


class TradewindError(Exception):
    """Anything Tradewind says no with."""


class Refused(TradewindError):
    """Nothing was changed. ``objections`` holds every reason, one sentence each."""

    def __init__(self, *objections: str) -> None:
        self.objections = objections
        super().__init__("; ".join(objections))


class BadInput(Refused):
    """What was given is wrong: names the field, the value and the limit."""


class Fenced(Refused):
    """The lease is gone: a newer epoch owns the target, so nothing was done."""


class Unavailable(TradewindError):
    """An outside system did not answer; neither success nor failure is known."""


class Failed(TradewindError):
    """Something was changed and did not work; the message says what was restored."""


class BadRelease(Failed):
    """A verdict or a check blames the release itself: it is quarantined after the way back."""


class Halted(Failed):
    """Restoring did not work either: a person is needed, the old version serves."""
