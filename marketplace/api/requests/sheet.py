"""The price sheet of a request, as its reader may see it."""

from typing import Any

from pydantic import Field

from core.api import PROBLEMS, Answer, Id, Moment, Naira, Percent, Router
from core.errors import Missing
from marketplace.api.requests.finding import find, party
from marketplace.api.schemas.common import Call, example
from marketplace.api.schemas.seen import Audience, audience_of
from marketplace.enums import Side
from marketplace.models.sheets import price_sheet

router = Router(tags=["Service requests"])

READERS = {Audience.ADMIN: Side.ADMIN, Audience.CLIENT: Side.CLIENT, Audience.SERVICEMAN: Side.SERVICEMAN}


class PriceVersion(Answer):
    """One price the client was shown. Estimate and markup are for admins."""

    version: int
    final: Naira
    estimate: Naira | None
    markup: Percent | None
    note_to_client: str
    created_at: Moment
    agreed_at: Moment | None


class PriceSheetOut(Answer):
    """What a request costs and where its money is, in NGN; null is what the reader may not see, or not there yet.

    still_open is what the client has to pay next; refunds_open what is owed back; platform_share is booking fee and
    margin before Paystack's fees; versions is the newest price first.
    """

    version: int
    booking_fee: Naira | None
    estimate: Naira | None
    markup: Percent | None
    margin: Naira | None
    final_cost: Naira | None
    serviceman_share: Naira | None
    platform_share: Naira | None
    paid: Naira | None
    gateway_fees: Naira | None
    refunded: Naira | None
    refunds_open: Naira | None
    still_open: Naira | None
    versions: list[PriceVersion] = Field(description="Every price, the newest first; none for a serviceman.")

    model_config = example(
        version=1,
        booking_fee="2000.00",
        estimate=None,
        markup=None,
        margin=None,
        final_cost="22000.00",
        serviceman_share=None,
        platform_share=None,
        paid="2000.00",
        gateway_fees=None,
        refunded="0.00",
        refunds_open="0.00",
        still_open="22000.00",
        versions=[
            {
                "version": 1,
                "final": "22000.00",
                "estimate": None,
                "markup": None,
                "note_to_client": "",
                "created_at": "2026-11-22T12:00:00+01:00",
                "agreed_at": None,
            }
        ],
    )


@router.get(
    "/{request_id}/price-sheet/",
    auth=party,
    response={200: PriceSheetOut, **PROBLEMS},
    summary="Read a request's price sheet",
)
def read_price_sheet(request: Call, request_id: Id) -> dict[str, Any]:
    """Price, shares, payments and refunds. A client sees no estimate, a serviceman only his own; a backup nothing."""
    about = find(request_id, request.auth)
    if not about.is_held_by(request.auth):
        raise Missing("There is no such service request.")
    audience = audience_of(about, request.auth)
    sheet = price_sheet(about, READERS.get(audience, Side.NOBODY))
    prices = [
        {
            "version": price.version,
            "final": price.final,
            "estimate": price.estimate if audience is Audience.ADMIN else None,
            "markup": price.markup if audience is Audience.ADMIN else None,
            "note_to_client": price.note_to_client,
            "created_at": price.created_at,
            "agreed_at": price.agreed_at,
        }
        for price in sheet.versions
    ]
    return {**vars(sheet), "versions": prices}
