"""Remarks on a request that only admins see."""

import pytest

from core.errors import Forbidden, Invalid, Missing
from marketplace.models import Note
from marketplace.services.requests import add_note
from marketplace.tests.trail import refused, trail

pytestmark = pytest.mark.django_db


def test_a_dispatcher_leaves_a_note_whatever_the_status(request_in, make_admin):
    dispatcher = make_admin("dispatcher")
    for status in ("AWAITING_BOOKING_FEE", "IN_PROGRESS", "CANCELLED"):
        request = request_in(status)
        note = add_note(request.pk, text=" Dog bites. ", by=dispatcher)
        assert (note.request, note.author, note.text) == (request, dispatcher, "Dog bites.")
        assert trail(request) == []


def test_nobody_else_does(request_in, ada, tunde, make_admin):
    request = request_in("IN_PROGRESS")
    for by in (ada, tunde, make_admin("pricing"), make_admin("viewer")):
        with refused(Forbidden):
            add_note(request.pk, text="x", by=by)


def test_it_has_words_and_a_request(request_in, boss):
    request = request_in("IN_PROGRESS")
    with refused(Invalid, field="text"):
        add_note(request.pk, text="  ", by=boss)
    with refused(Missing):
        add_note(987654, text="x", by=boss)
    assert not Note.objects.exists()
