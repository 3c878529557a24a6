"""The lives of the demo's requests: what happens, in which order, and how long ago. Acts are named as in `acts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from core import clock

HISTORY_DAYS: Final = 90
MORNING, NIGHT = 7, 22
"""Nobody books, answers or pays between these hours in Lagos, unless it is urgent."""

BOOKED = "book"
PAID = f"{BOOKED} pay_fee"
OFFERED = f"{PAID} assign"
ACCEPTED = f"{OFFERED} accept"
ESTIMATED = f"{ACCEPTED} estimate"
PRICED = f"{ESTIMATED} price"
AGREED = f"{PRICED} approve"
SETTLED = f"{AGREED} pay"
STARTED = f"{SETTLED} start"
FINISHED = f"{STARTED} complete"
VERIFIED = f"{FINISHED} verify"
RATED = f"{VERIFIED} rate reply"

GAPS: Final[dict[str, tuple[float, float]]] = {
    "pay_fee": (0.05, 0.4),
    "assign": (0.5, 3),
    # Two hours at most: after a night in between the twelve hours to answer are not over yet.
    "accept": (0.3, 2),
    "decline": (0.3, 2),
    "lapse": (12.05, 12.5),
    "withdraw": (3, 12),
    "estimate": (5, 20),
    "price": (0.8, 7),
    "approve": (1.5, 30),
    "propose": (1, 20),
    "consult": (0.3, 3),
    "answer": (0.3, 4),
    "counter": (0.5, 5),
    "accept_proposal": (0.8, 12),
    "pay": (0.2, 18),
    "start": (38, 90),
    "complete": (3, 40),
    "verify": (1.5, 18),
    "rate": (3, 60),
    "reply": (2, 30),
    "resolve_issue": (1.5, 20),
    "give_up": (336.2, 339),
    "expire": (24.05, 24.3),
    "move_refund": (1, 10),
}
"""Hours between the act before and this one, in a normal job; what is not named takes `USUAL`."""
USUAL: Final = (0.7, 9.0)
URGENT: Final[dict[str, tuple[float, float]]] = {
    "pay_fee": (0.03, 0.1),
    "assign": (0.1, 0.4),
    "accept": (0.05, 0.4),
    "decline": (0.05, 0.4),
    "lapse": (0.51, 0.6),
    "estimate": (0.8, 3),
    "price": (0.2, 0.8),
    "approve": (0.1, 1.5),
    "pay": (0.1, 1),
    "start": (0.3, 2),
    "complete": (1, 5),
}
"""The same in an emergency."""
EXACT: Final = frozenset({"lapse", "give_up", "expire"})
"""The system acts at any hour."""


class Beat(NamedTuple):
    """One act at one moment."""

    at: datetime
    act: str


@dataclass(frozen=True)
class Story:
    """What happens to one request. Acts may carry a word, such as `raise_issue:QUALITY`.

    `ago` says how many hours ago the last act was; None: any time in the history. `weight` is how often it is told
    beyond the first time, `men` how many servicemen of its trade it needs.
    """

    acts: str
    ago: tuple[float, float] | None = None
    weight: int = 0
    men: int = 1
    urgent: bool = False

    def beats(self, rng: Random, *, now: datetime) -> list[Beat]:
        """Its acts with their moments, all before `now`."""
        acts = self.acts.split()
        gaps = [timedelta(hours=rng.uniform(*self._gap(act))) for act in acts[1:]]
        return self._counted_back(acts, gaps, rng, now) if self.ago else self._in_history(acts, gaps, rng, now)

    def _gap(self, act: str) -> tuple[float, float]:
        name = act.partition(":")[0]
        return URGENT.get(name) or GAPS.get(name, USUAL) if self.urgent else GAPS.get(name, USUAL)

    def _counted_back(self, acts: list[str], gaps: list[timedelta], rng: Random, now: datetime) -> list[Beat]:
        moment = now - timedelta(hours=rng.uniform(*(self.ago or (0, 0))))
        beats = [Beat(moment, acts[-1])]
        for act, gap, following in zip(acts[-2::-1], gaps[::-1], acts[::-1], strict=False):
            moment -= gap
            if not self.urgent and following not in EXACT:
                moment = _waking(moment, rng, back=True)
            beats.insert(0, Beat(moment, act))
        return beats

    def _in_history(self, acts: list[str], gaps: list[timedelta], rng: Random, now: datetime) -> list[Beat]:
        moment = now.replace(hour=8) - timedelta(hours=rng.uniform(0, 12))
        beats = [Beat(moment, acts[0])]
        for act, gap in zip(acts[1:], gaps, strict=True):
            moment += gap
            if not self.urgent and act not in EXACT:
                moment = _waking(moment, rng)
            beats.append(Beat(moment, act))
        # Whole days back, so that hours stay as they are; more of the business is recent than old.
        length = (moment - now).days + 2
        back = timedelta(days=length + int((HISTORY_DAYS - length) * min(rng.random(), rng.random() * 1.3)))
        return [Beat(beat.at - back, beat.act) for beat in beats]


def _waking(moment: datetime, rng: Random, *, back: bool = False) -> datetime:
    """The nearest moment at which people are up, later or (`back`) earlier."""
    local = moment.astimezone(clock.LAGOS)
    if MORNING <= local.hour < NIGHT:
        return moment
    minutes = timedelta(minutes=rng.uniform(0, 55))
    if back:
        day = local if local.hour >= NIGHT else local - timedelta(days=1)
        return day.replace(hour=NIGHT, minute=0, second=0) - minutes
    day = local if local.hour < MORNING else local + timedelta(days=1)
    return day.replace(hour=MORNING, minute=0, second=0) + minutes


STORIES: Final[tuple[Story, ...]] = (
    # One of each status first, so that even a small demo has them all.
    Story(BOOKED, ago=(0.3, 14), weight=2),
    Story(PAID, ago=(0.2, 3), weight=3),
    Story(OFFERED, ago=(0.5, 8), weight=3),
    Story(ESTIMATED, ago=(0.5, 10), weight=3),
    Story(PRICED, ago=(1, 50), weight=3),
    Story(f"{PRICED} propose", ago=(0.6, 14), weight=2),
    Story(AGREED, ago=(1, 50), weight=2),
    Story(SETTLED, ago=(1, 16), weight=3),
    Story(STARTED, ago=(1, 60), weight=5),
    Story(FINISHED, ago=(0.6, 14), weight=4),
    Story(RATED, weight=60),
    Story(f"{ACCEPTED} cancel_by_client", weight=3),
    Story(ACCEPTED, ago=(1, 16), weight=3),
    # Urgent ones.
    Story(PAID, ago=(0.1, 0.4), urgent=True, weight=1),
    Story(OFFERED, ago=(0.05, 0.35), urgent=True),
    Story(STARTED, ago=(0.5, 3), urgent=True),
    Story(RATED, urgent=True, weight=8),
    Story(f"{ACCEPTED} flag_emergency", ago=(0.5, 4)),
    # Late: somebody has let the time pass.
    Story(PAID, ago=(9, 30)),
    Story(ACCEPTED, ago=(30, 60)),
    Story(ESTIMATED, ago=(16, 40)),
    Story(PRICED, ago=(90, 200)),
    Story(AGREED, ago=(100, 220)),
    Story(f"{PRICED} propose", ago=(30, 70)),
    Story(STARTED, ago=(190, 260)),
    Story(FINISHED, ago=(30, 70)),
    # Offers that came to nothing.
    Story(f"{OFFERED} decline accept estimate price", ago=(2, 30), men=2),
    Story(f"{OFFERED} lapse accept estimate price approve pay start complete verify rate", men=2, weight=2),
    Story(f"{OFFERED} decline", ago=(0.3, 3)),
    Story(
        f"{OFFERED} decline decline assign accept estimate price approve pay start complete verify rate",
        men=3,
        weight=1,
    ),
    Story(f"{OFFERED} lapse", ago=(0.5, 3), men=2),
    Story(f"{ESTIMATED} withdraw accept", ago=(2, 9), men=2),
    Story(f"{OFFERED} reassign accept", ago=(1, 9), men=2),
    Story(f"{PRICED} reassign accept estimate price approve pay start complete verify rate", men=2),
    Story(f"{SETTLED} withdraw accept start", ago=(2, 30), men=2),
    Story(f"{OFFERED} accept:for_him estimate price", ago=(2, 12)),
    # Haggling.
    Story(f"{PRICED} propose consult", ago=(0.4, 4)),
    Story(f"{PRICED} propose consult answer", ago=(0.3, 4), weight=1),
    Story(f"{PRICED} propose consult answer counter", ago=(0.5, 12), weight=1),
    Story(f"{PRICED} propose counter accept_proposal", ago=(1, 20)),
    Story(f"{PRICED} propose consult answer counter accept_proposal pay start complete verify rate reply", weight=5),
    Story(f"{PRICED} propose reject_proposal approve pay start complete verify rate", weight=2),
    Story(f"{PRICED} propose withdraw_proposal", ago=(3, 30)),
    Story(f"{PRICED} propose accept_proposal pay start complete verify rate", weight=4),
    Story(f"{ESTIMATED} price price:amount approve", ago=(2, 20)),
    Story(f"{PRICED} approve:for_her pay start", ago=(2, 30)),
    # Payments that went another way.
    Story(f"{BOOKED} open_checkout:fee", ago=(1, 5)),
    Story(f"{AGREED} open_checkout:final", ago=(1, 9)),
    Story(f"{BOOKED} pay_short:fee pay_fee assign accept estimate", ago=(1, 9)),
    Story(f"{AGREED} decline_card pay start complete verify rate", weight=1),
    Story(f"{AGREED} open_checkout:final propose accept_proposal pay pay_old_checkout start complete", ago=(1, 12)),
    Story(f"{AGREED} open_checkout:final cancel_by_client pay_old_checkout", ago=(3, 60)),
    # Work that did not go smoothly.
    Story(f"{FINISHED} return_to_work", ago=(1, 12)),
    Story(f"{FINISHED} return_to_work complete verify rate reply", weight=2),
    Story(f"{ACCEPTED} raise_issue:NO_SHOW", ago=(1, 5)),
    Story(f"{FINISHED} raise_issue:QUALITY", ago=(1, 20), weight=1),
    Story(f"{STARTED} raise_issue:SAFETY resolve_issue", ago=(2, 20)),
    Story(f"{ACCEPTED} raise_issue:UNREACHABLE resolve_issue estimate price approve pay start complete verify rate"),
    Story(f"{FINISHED} raise_issue:QUALITY resolve_issue verify rate", weight=1),
    Story(f"{STARTED} raise_issue:OTHER complete resolve_issue verify rate reply"),
    Story(f"{PAID} note assign reschedule", ago=(0.5, 4), men=1),
    Story(f"{ACCEPTED} reschedule estimate note price", ago=(1, 20)),
    Story("book:for_her pay_fee assign accept estimate price approve pay start complete verify rate", weight=1),
    # The end without the work.
    Story(f"{BOOKED} expire", weight=3),
    Story(f"{BOOKED} delete", weight=0),
    Story(f"{PAID} cancel_by_client", ago=(2, 40)),
    Story(f"{PAID} cancel_by_client approve_refund move_refund:processed", weight=3),
    Story(f"{ESTIMATED} cancel_by_admin approve_refund", ago=(1, 20)),
    Story(f"{SETTLED} cancel_by_client", ago=(2, 40)),
    Story(f"{SETTLED} cancel_by_client approve_refund move_refund:needs-attention", ago=(2, 40)),
    Story(f"{SETTLED} cancel_by_admin approve_refund approve_refund move_refund:processed move_refund:processed"),
    Story(f"{STARTED} cancel_by_client", ago=(2, 60)),
    Story(f"{STARTED} raise_issue:SAFETY cancel_by_admin"),
    Story(f"{ACCEPTED} cancel_by_admin waive_refund"),
    Story(f"{PRICED} give_up", weight=2),
    Story(f"{VERIFIED}", ago=(2, 60), weight=4),
    Story(f"{VERIFIED} delete"),
)


def chosen(rng: Random, count: int) -> list[Story]:
    """`count` stories: each once in the order above as far as that goes, then by weight."""
    once = list(STORIES[:count])
    return once + rng.choices(STORIES, [story.weight for story in STORIES], k=count - len(once))
