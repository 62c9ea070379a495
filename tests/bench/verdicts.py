"""Verdicts beside "twice the baseline": how often equal versions are taken back."""

import random

from domain.canary import Policy, judge
from domain.host import Served
from tests.bench.results import Result, versus

CANARIES, LOOKS, REQUESTS_A_LOOK = 400, 60, 20


def verdicts() -> Result:
    """Equal versions that were taken back, of all, when looked at again and again."""
    chance = random.Random(20261124)
    false = {"ours": 0, "plain": 0}
    for _ in range(CANARIES):
        for name, alarmed in canary(chance).items():
            false[name] += alarmed
    rate = {name: round(100 * count / CANARIES, 2) for name, count in false.items()}
    alarms = {"false alarms, % of equal canaries": (rate["ours"], rate["plain"])}
    return versus("Verdicts looked at every minute", alarms)


def canary(chance: random.Random) -> dict[str, bool]:
    """One hour at 10 % and 1 % errors in both arms; the plain way is "twice the baseline"."""
    policy = Policy(0.01, 0.05, 5, 50)
    errors, requests, alarmed = [0, 0], [0, 0], {"ours": False, "plain": False}
    for _ in range(LOOKS):
        for arm, count in ((0, REQUESTS_A_LOOK), (1, 9 * REQUESTS_A_LOOK)):
            requests[arm] += count
            errors[arm] += sum(chance.random() < 0.01 for _ in range(count))
        ours, theirs = (Served(requests[arm], errors[arm], errors[arm]) for arm in (0, 1))
        alarmed["ours"] |= judge(ours, theirs, policy).decision == "restore"
        alarmed["plain"] |= errors[0] / requests[0] > 2 * max(errors[1], 1) / requests[1]
    return alarmed
