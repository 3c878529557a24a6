"""Two pairs of eyes: what one person has recorded or asked for, another one approves."""

from __future__ import annotations

from core.errors import Forbidden
from core.models import User
from marketplace.enums import SecondPerson
from marketplace.models import BusinessSettings
from marketplace.notices.audiences import holders_of


def needs_another(first: User | int | None, *, by: User, codename: str) -> bool:
    """Whether `by` may not approve this, having begun it himself, by the setting `second_person`.

    `first` is who recorded or asked for it, None the system. `codename` is the right that approving takes: where
    nobody else holds it, the setting's default lets one person do both.
    """
    if first is None or (first.pk if isinstance(first, User) else first) != by.pk:
        return False
    match BusinessSettings.current().second_person:
        case SecondPerson.NEVER:
            return False
        case SecondPerson.ALWAYS:
            return True
        case _:
            return any(pk != by.pk for pk in holders_of([codename])[codename])


def require_another(first: User | int | None, *, by: User, codename: str) -> None:
    """Raise Forbidden (second_person_needed) when `by` began what he now approves; see `needs_another`."""
    if needs_another(first, by=by, codename=codename):
        raise Forbidden("You began this yourself: somebody else must approve it.", code="second_person_needed")
