"""Token buckets: how often each operation may be called."""

from dataclasses import dataclass


@dataclass
class Bucket:
    """``rate`` calls per second in the long run, ``burst`` at once."""

    rate: float
    burst: int
    left: float = -1
    at: float = 0

    def take(self, now: float) -> bool:
        if self.left < 0:
            self.left = self.burst
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True
