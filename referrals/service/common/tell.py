"""Who is told what, and when: the person's own 'may we write here, and when?' binds everything that notifies.

Whatever can notify is neutral (security.md): codes and times, never a name, place, organisation or need.
Details are shown by quiet edits after a tap, or on a secure page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from referrals import schedule
from referrals.lifecycle import ENDED
from referrals.members import Enrolment
from referrals.model import Offer, Referral, Role
from referrals.persons import Person, Presence, Seat, WritingWindow
from referrals.ports import Tx
from referrals.said import Button, Keyboard, Notice, Priority
from referrals.service.common import complaints, duties, screens

WITHOUT_DESK = "without_desk"  # the timer of what the desk would hear of, and may not (`focal.py`)
# What the desk alone could do anything about: of a complaint nobody else hears it, and it moves nothing on.
_FOR_NOBODY_ELSE = frozenset({"desk.not_reachable_here", "desk.move_asked"})
_OF_A_PART = ("matter.asked", "matter.next_asked")
_SAID_OF_THE_PLAN = "matter.consent_over"
TALK = "talk"  # the slot of the one message in which a conversation goes on


def receipt_slot(referral: Referral) -> str:
    """Where the chat's receipt of a yes stands, until the matter ends."""
    return f"filed:{referral.id}"


def tell(
    tx: Tx,
    person_id: str,
    text: str,
    params: Mapping[str, str] | None = None,
    *,
    buttons: Keyboard = (),
    slot: str = "",
    fresh: bool = True,
    priority: Priority = Priority.ALERT,
    dedupe: str = "",
    expires_at: datetime | None = None,
) -> bool:
    """Tell somebody something they did not just ask for. False when they do not want to be written to.

    A crisis notice to somebody on duty ignores the window, never the presence.
    """
    person = tx.get(Person, person_id)
    if person is None or person.presence is not Presence.PRESENT:
        return False
    not_before = tx.now
    if priority is not Priority.CRISIS:
        allowed = schedule.next_allowed(person.window, person.timezone, tx.now)
        if allowed is None:
            return False
        not_before = allowed
    notice = Notice(
        person_id,
        text,
        params or {},
        buttons,
        priority,
        slot,
        fresh,
        not_before if not_before > tx.now else None,
        dedupe,
        expires_at=expires_at,
    )
    screens.queue(tx, notice, person)
    return True


def answer(
    tx: Tx,
    person_id: str,
    text: str,
    params: Mapping[str, str] | None = None,
    *,
    buttons: Keyboard = (),
    slot: str = TALK,
    fresh: bool = False,
) -> None:
    """Answer somebody who has just written or pressed: at once, whatever their window."""
    screens.queue(tx, Notice(person_id, text, params or {}, buttons, Priority.REPLY, slot, fresh))


def quietly(
    tx: Tx,
    person_id: str,
    slot: str,
    text: str,
    params: Mapping[str, str] | None = None,
    buttons: Keyboard = (),
) -> None:
    """Change a message that stands in somebody's chat, without a notification (text '' deletes it).

    What still waits in the outbox for that slot is dropped first: nobody is nagged about what is handled.
    An empty post ('') has no chat.
    """
    if not person_id:
        return
    tx.recall_notices(person_id, slot)
    screens.queue(tx, Notice(person_id, text, params or {}, buttons, Priority.REPLY, slot, quiet=True))


def workers(tx: Tx, organization_id: str) -> list[Seat]:
    """The filled worker seats of an organisation whose holders are on duty and hear what is told to them."""
    return [s for s in _hearing(tx, organization_id) if s.on_duty]


def partners(tx: Tx, referral: Referral) -> list[str]:
    """Who at the partner hears of a matter now: whoever took it, else colleagues on duty; perhaps nobody.

    A post changes hands, and its former holder must hear no more of what was entrusted to it.
    """
    if referral.organization_id is None:
        return []
    concerned = complaints.concerned(tx, referral)
    hearing = [s for s in _hearing(tx, referral.organization_id) if s.person_id not in concerned]
    on_duty = [s.person_id for s in hearing if s.on_duty and s.person_id]
    holder = [s.person_id for s in hearing if s.person_id and s.person_id == referral.accepted_by]
    if holder and holder[0] in on_duty:
        return holder[:1]
    return on_duty or holder


def tell_partner(
    tx: Tx,
    referral: Referral,
    text: str,
    *,
    opens: str = "",
    presses: tuple[str, str] | None = None,
    slot: str = "",
    or_desk: bool = False,
) -> None:
    """Tell whoever holds a matter at the partner, by the partner's own code and address of it.

    `opens`: the text key of a button to the matter; `presses`: text key and verb of one about its offer.
    `or_desk`: where nobody is left there, the desk is told.
    """
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    there = partners(tx, referral) if offer is not None else []
    for person_id in there:
        assert offer is not None  # else nobody is there
        rows = [press(presses[0], presses[1], offer.id)] if presses else []
        rows += [page_button(opens, f"matter/{offer.id}")] if opens else []
        buttons = column(rows)
        shown = offer_slot(offer.id) + slot
        said = complaints.said(tx, referral, text)
        tell(tx, person_id, said, {"code": offer.code}, buttons=buttons, slot=shown)
    if or_desk and not there:
        tell_desk(tx, "desk.no_news", referral)


def coordinators(tx: Tx) -> list[Seat]:
    """Every filled coordinator seat that can be reached."""
    seats = tx.find(Seat, role=Role.COORDINATOR)
    return [s for s in seats if s.person_id and _present(tx, s.person_id)]


def on_call(tx: Tx) -> list[Seat]:
    """The coordinators on duty by the rota; all of them when the rota names nobody who can be reached."""
    everybody = coordinators(tx)
    now_on = duties.named(tx)
    return [s for s in everybody if s.id in now_on and s.on_duty] or everybody


def tell_desk(
    tx: Tx,
    text: str,
    referral: Referral,
    *,
    priority: Priority = Priority.ALERT,
    everybody: bool = False,
    dedupe: str = "",
    slot: str = "",
) -> None:
    """Alert the coordinators on call (or all of them) about a referral, with a button to look at it.

    What a coordinator has taken up is theirs while they are on duty; of an emergency whoever is on call hears
    too. All of them, too, when nobody on call hears it.
    """
    if complaints.hidden(tx, referral):
        if text not in _FOR_NOBODY_ELSE:
            tx.set_timer(WITHOUT_DESK, referral.id, tx.now)
        return
    heard = False
    for seat in desk_hears(tx, referral, priority, everybody=everybody):
        assert seat.person_id is not None  # coordinators() lists filled seats only
        heard |= tell(
            tx,
            seat.person_id,
            text,
            {"code": referral.code},
            buttons=((page_button("button.look", f"matter/{referral.id}"),),),
            slot=slot or desk_slot(referral),
            priority=priority,
            dedupe=f"{dedupe}:{seat.person_id}" if dedupe else "",
        )
    if not heard and not everybody:
        tell_desk(tx, text, referral, priority=priority, everybody=True, dedupe=dedupe, slot=slot)


def desk_holder(tx: Tx, referral: Referral) -> Seat | None:
    """The coordinator who has taken a matter up, while on duty and reachable."""
    if referral.desk_id is None:
        return None
    found = (s for s in coordinators(tx) if s.person_id == referral.desk_id and s.on_duty)
    return next(found, None)


def desk_hears(tx: Tx, referral: Referral, priority: Priority, *, everybody: bool) -> list[Seat]:
    """Who at the desk is told of a matter now: see `tell_desk`."""
    there = coordinators(tx) if everybody else on_call(tx)
    holder = desk_holder(tx, referral)
    if holder is None:
        return there
    theirs = [holder, *(seat for seat in there if seat.id != holder.id)]
    return theirs if everybody or priority is Priority.CRISIS else [holder]


def settle_desk(tx: Tx, referral: Referral) -> None:
    """Quietly turn the desk's open alerts about a referral into 'handled'."""
    if complaints.hidden(tx, referral):
        return  # it was told nothing, and learns no code
    for seat in tx.find(Seat, role=Role.COORDINATOR):
        if seat.person_id:
            quietly(tx, seat.person_id, desk_slot(referral), "desk.handled", {"code": referral.code})


def tell_author(
    tx: Tx,
    referral: Referral,
    text: str,
    params: Mapping[str, str] | None = None,
    *,
    buttons: Keyboard | None = None,
    dedupe: str = "",
) -> bool:
    """Tell the person who asked what happens now, with a button to their own matter."""
    if referral.parent_id and _stands_with_plan(tx, referral, text):
        return True  # seven parts would ring seven times
    shown = _standing(referral) if buttons is None else buttons
    if referral.referrer_id is not None:
        tell_referrer(tx, referral)
    return tell(
        tx,
        referral.author_id,
        complaints.said(tx, referral, text),
        {"code": referral.code, **(params or {})},
        buttons=shown,
        slot=f"matter:{referral.id}",
        dedupe=dedupe,
    )


def _stands_with_plan(tx: Tx, part: Referral, text: str) -> bool:
    """Whether the plan's page shows it, or the plan says it once: as long as it is not over itself."""
    if text != _SAID_OF_THE_PLAN:
        return text in _OF_A_PART
    plan = tx.get(Referral, part.parent_id or "")
    return plan is not None and plan.stage not in ENDED


def _standing(referral: Referral) -> Keyboard:
    """What stands below every word about one's own matter: the way to it, and out of it."""
    look = page_button("button.open", f"matter/{referral.id}")
    if referral.stage in ENDED:
        return ((look,),)
    return column([look, press("button.withdraw", "take_back", referral.id)])


def tell_referrer(tx: Tx, referral: Referral) -> None:
    """Whoever looks after the member now hears that something has moved on, and never what."""
    enrolment = tx.get(Enrolment, referral.enrolment_id or "")
    seat = tx.get(Seat, enrolment.mentor_seat) if enrolment and enrolment.mentor_seat else None
    if enrolment is not None and seat is not None and seat.person_id:
        slot, code = f"moved:{enrolment.id}", {"code": enrolment.code}
        tell(tx, seat.person_id, "mentor.moved_on", code, slot=slot, fresh=False, priority=Priority.BULK)


def plan_page(referral: Referral) -> str:
    """The page on which the yes to a plan is given, or heard."""
    return f"{'words' if referral.by_word else 'plan'}/{referral.id}"


def page_button(text: str, page: str) -> Button:
    """A button that opens a secure page."""
    return Button(text, page=page)


def press(text: str, verb: str, *words: str) -> Button:
    """A button whose callback data is '1:<verb>:<words…>': short, versioned, self-describing."""
    return Button(text, action=":".join(("1", verb, *words)))


def column(buttons: Iterable[Button]) -> Keyboard:
    """One button a row: easy to hit on a small phone."""
    return tuple((button,) for button in buttons)


def offer_slot(offer_id: str) -> str:
    return f"offer:{offer_id}"


def desk_slot(referral: Referral) -> str:
    return f"desk:{referral.id}"


def iso(at: datetime) -> str:
    """An instant as a parameter of a text; it is shown in the reader's language and zone."""
    return at.isoformat(timespec="minutes")


def _present(tx: Tx, person_id: str) -> bool:
    person = tx.get(Person, person_id)
    return person is not None and person.presence is Presence.PRESENT


def _hearing(tx: Tx, organization_id: str) -> list[Seat]:
    """Worker seats whose holders may be written to: whoever wants no message cannot be asked by one."""
    found: list[Seat] = []
    for seat in tx.find(Seat, organization_id=organization_id, role=Role.WORKER):
        person = tx.get(Person, seat.person_id) if seat.person_id else None
        if person is not None and person.presence is Presence.PRESENT:
            found += [seat] if person.window is not WritingWindow.ONLY_ANSWERS else []
    return found
