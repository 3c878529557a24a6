"""How the work goes, as the API says it: the words of docs/analytics.md that are not revenue's own."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, WithJsonSchema

from core.api import Answer, Day, Naira
from marketplace.api.schemas.common import Stars, example

Share = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["62.50"]}),
]
"""Per cent as a string with two decimals. Not held between 0 and 100: revenue and a discount can be negative."""
Mean = Annotated[
    Decimal,
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["1.50"]}),
]
"""How many on average, as a string with two decimals."""


class TimeOut(Answer):
    """How long something took, in seconds: the median, what nine of ten were within, and of how many."""

    median: int | None
    p90: int | None
    count: int


class CancellationCountOut(Answer):
    """How many were cancelled at one stage by one side. The stages are those of the cancellation policy."""

    stage: Literal["UNPAID", "UNACCEPTED", "ACCEPTED", "PAID", "WORKED"]
    side: Literal["CLIENT", "ADMIN", "SYSTEM"]
    count: int


class OperationsOut(Answer):
    """The work of some days. Rates are per cent, times seconds, money naira; null where there is nothing to say.

    take_rate is platform revenue per cent of the payments that counted; net_revenue is what the books call revenue;
    held came in the wrong amount; payable is owed to servicemen at the end. fill_rate and conversion_rate say what has
    come by now of the confirmed and the quoted.
    """

    take_rate: Share | None
    held: Naira
    earned: Naira
    net_revenue: Naira
    payable: Naira
    booked: int
    confirmed: int
    completed: int
    cancelled: int
    completion_rate: Share | None
    cancellation_rate: Share | None
    cancellations: list[CancellationCountOut]
    time_to_assign: TimeOut
    time_to_accept: TimeOut
    time_to_inspect: TimeOut
    time_to_price: TimeOut
    time_to_pay: TimeOut
    time_to_complete: TimeOut
    fill_rate: Share | None
    accepted: int
    declined: int
    lapsed: int
    decline_rate: Share | None
    lapse_rate: Share | None
    backup_rate: Share | None
    quoted: int
    conversion_rate: Share | None
    negotiation_rate: Share | None
    rounds: Mean | None
    average_discount: Share | None
    clients: int
    repeat_rate: Share | None
    active_servicemen: int
    utilisation: Share | None
    ratings: int
    average_rating: Stars | None


class OperationsPeriodOut(OperationsOut):
    """The work of one period, which begins on `start`."""

    start: Day


class OperationsBeforeOut(OperationsOut):
    """The work of the period before, to compare with: as many days, or as many whole months when grouped by month."""

    from_day: Day = Field(alias="from")
    to_day: Day = Field(alias="to")


_TIME: dict[str, Any] = {"median": 5400, "p90": 21600, "count": 12}
_WORK: dict[str, Any] = {
    "take_rate": "16.67",
    "held": "0.00",
    "net_revenue": "4000.00",
    "earned": "20000.00",
    "payable": "60000.00",
    "booked": 14,
    "confirmed": 12,
    "completed": 9,
    "cancelled": 1,
    "completion_rate": "90.00",
    "cancellation_rate": "10.00",
    "cancellations": [{"stage": "ACCEPTED", "side": "CLIENT", "count": 1}],
    "time_to_assign": _TIME,
    "time_to_accept": _TIME,
    "time_to_inspect": _TIME,
    "time_to_price": _TIME,
    "time_to_pay": _TIME,
    "time_to_complete": _TIME,
    "fill_rate": "91.67",
    "accepted": 11,
    "declined": 2,
    "lapsed": 1,
    "decline_rate": "14.29",
    "lapse_rate": "7.14",
    "backup_rate": "66.67",
    "quoted": 10,
    "conversion_rate": "80.00",
    "negotiation_rate": "25.00",
    "rounds": "1.50",
    "average_discount": "6.25",
    "clients": 11,
    "repeat_rate": "36.36",
    "active_servicemen": 6,
    "utilisation": "60.00",
    "ratings": 7,
    "average_rating": "4.57",
}


class OperationsReportOut(Answer):
    """The work by periods, empty ones included. Weeks start on Mondays; only days from `from` to `to` count."""

    from_day: Day = Field(alias="from")
    to_day: Day = Field(alias="to")
    group_by: Literal["day", "week", "month"]
    totals: OperationsOut
    before: OperationsBeforeOut
    periods: list[OperationsPeriodOut]

    model_config = example(
        **{"from": "2026-11-22", "to": "2026-11-22"},
        group_by="day",
        totals=_WORK,
        before={"from": "2026-11-21", "to": "2026-11-21", **_WORK},
        periods=[{"start": "2026-11-22", **_WORK}],
    )
