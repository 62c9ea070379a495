"""How often somebody may call: token buckets, kept in memory."""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

MOST_CALLERS = 10_000


@dataclass
class Rate:
    """At most ``burst`` calls at once, ``per_second`` on average; the longest idle go first."""

    burst: float
    per_second: float
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, caller: str, now: float) -> int:
        """0 when the call may go on, else after how many whole seconds to try again."""
        left, since = self._left.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.per_second)
        taken = left >= 1
        self._left[caller] = (left - 1 if taken else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return 0 if taken else max(1, math.ceil((1 - left) / self.per_second))
