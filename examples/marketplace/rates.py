"""Token buckets: how often each operation may be called."""

from dataclasses import dataclass


@dataclass
class Bucket:
    """``rate`` calls (or points) per second in the long run, ``burst`` at once."""

    rate: float
    burst: int
    left: float = -1
    at: float = 0

    def take(self, now: float, cost: float = 1) -> bool:
        if self.left < 0:
            self.left = self.burst
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < cost:
            return False
        self.left -= cost
        return True
