from datetime import UTC, datetime

from core import clock


def test_history_is_dated_by_our_clock(ada):
    moment = datetime(2027, 3, 1, 12, tzinfo=UTC)
    with clock.at(moment):
        ada.first_name = "Adaeze"
        ada.save()
    assert ada.history.latest().history_date == moment


def test_an_explicit_date_wins(ada):
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    ada._history_date = moment
    ada.save()
    assert ada.history.earliest().history_date == moment


def test_passwords_are_not_in_history(ada):
    assert not hasattr(ada.history.latest(), "password")
