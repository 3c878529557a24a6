"""One request, as whoever asks may see it."""

from typing import Any

from core.auth import roles
from core.errors import Conflict, Missing
from core.models import Role, User
from marketplace.api.schemas.seen import request_out, with_answer
from marketplace.models import ServiceRequest

party = roles(*Role, permission="marketplace.view_servicerequest")
"""Who may have to do with a request: clients, servicemen, and admins who may see requests."""


def find(request_id: int, reader: User) -> ServiceRequest:
    """A request with all that an answer shows, if `reader` may know of it. Raises Missing."""
    found = with_answer(ServiceRequest.objects.visible_to(reader)).filter(pk=request_id).first()
    if found is None:
        raise Missing("There is no such service request.")
    return found


def answer(request_id: int, reader: User) -> dict[str, Any]:
    """What a step answers: the request as it is now. Raises Conflict when somebody took it away that very moment."""
    found = find(request_id, reader)
    if not found.is_held_by(reader):
        raise Conflict("This offer is no longer yours.", code="offer_withdrawn")
    return request_out(found, reader)
