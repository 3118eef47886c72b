"""From one Incoming to one handler, inside one transaction. What is in no table is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handlers import desk, family, mentor, privacy, worker
from handlers.incoming import Did, Incoming, Toast
from handlers.reply import Reply, Turn
from referrals.errors import PulangError, StaleButton
from referrals.model import Notice, Presence, Priority
from referrals.ports import Tx
from referrals.service import people
from referrals.service.tell import TALK

Handler = Callable[[Turn], Reply]

COMMANDS: Mapping[str, Handler] = {
    "start": privacy.start,
    "help": privacy.home,
    "language": privacy.language,
    "privacy": privacy.privacy,
    "hide": privacy.hide,
    "desk": desk.queue,
    "offduty": worker.off_duty,
    "onduty": worker.on_duty,
    "cancel": family.cancel,
}

PRESSES: Mapping[str, Handler] = {
    "form": family.answered,
    "form.back": family.back,
    "form.cancel": family.cancel,
    "ask": family.ask,
    "lang": privacy.set_language,
    "hide": privacy.hide,
    "seat.take": privacy.take_seat,
    "seat.not_now": privacy.not_now,
    "scrap.keep": privacy.keep_scrap,
    "scrap.drop": privacy.drop_scrap,
    "matter.helped": family.helped,
    "offer.show": worker.show,
    "offer.accept": worker.accept,
    "offer.decline": worker.decline,
    "offer.reason": worker.reason,
    "check.means": mentor.means,
    "check.state": mentor.state,
    "check.save": mentor.save,
    "check.undo": mentor.undo,
    "check.again": mentor.again,
    "crisis.hold": desk.hold,
    "desk.queue": desk.queue,
}


# What is still heard after /hide: everything else would show whoever holds the phone that this chat is alive.
AFTER_HIDING = ("start", "hide")


def handle(tx: Tx, incoming: Incoming) -> Toast:
    """One update as one turn. A repeated update changes nothing. Raises PulangError: see `refuse`."""
    if not tx.first_time(f"update:{incoming.update}"):
        return Toast()
    person = people.meet(tx, incoming.account, incoming.language_hint)
    if incoming.did is Did.BLOCKED:
        people.blocked(tx, person.id)
        return Toast()
    if incoming.did is Did.UNBLOCKED:
        people.come_back(tx, person.id)
        return Toast()
    if person.presence is Presence.BLOCKED:  # whoever writes to us can be written to
        person = people.come_back(tx, person.id)
    turn = Turn(tx, person, incoming)
    privacy.without_words(turn)
    return _say(turn, find_route(turn)(turn))


def refuse(tx: Tx, incoming: Incoming, error: PulangError) -> Toast:
    """Say kindly why nothing was changed. A press gets a toast, a message gets an answer; nothing twice."""
    if not tx.first_time(f"update:{incoming.update}"):
        return Toast()
    person = people.meet(tx, incoming.account, incoming.language_hint)
    turn = Turn(tx, person, incoming)
    if incoming.did is Did.PRESS:
        return Toast(error.code, alert=True)
    return _say(turn, Reply(error.code, _words(error), privacy.home(turn).buttons))


def find_route(turn: Turn) -> Handler:
    """The handler for what a person did; StaleButton for a button that is in no table."""
    incoming = turn.incoming
    hidden = turn.person.presence is Presence.HIDDEN
    if incoming.did is Did.COMMAND and (not hidden or incoming.text in AFTER_HIDING):
        return COMMANDS.get(incoming.text, privacy.unknown)
    if incoming.did is Did.PRESS:
        version, _, rest = incoming.data.partition(":")
        handler = PRESSES.get(rest.split(":")[0])
        if version != "1" or handler is None or hidden:
            raise StaleButton
        return handler
    if hidden:
        return privacy.quiet
    if incoming.did is Did.TEXT:
        return privacy.unasked_text
    return privacy.unasked_thing


def _say(turn: Turn, reply: Reply) -> Toast:
    incoming = turn.incoming
    pressed = incoming.did is Did.PRESS
    if not pressed and incoming.message_id is not None:
        turn.tx.heard(turn.person.id, incoming.message_id)
    if reply.text:
        turn.tx.say(
            Notice(
                turn.person.id,
                reply.text,
                reply.params,
                reply.buttons,
                Priority.REPLY,
                reply.slot or TALK,
                fresh=not pressed,
                message_id=incoming.message_id if pressed else None,
                quiet=reply.details,
            )
        )
    return Toast(reply.toast, reply.alert)


def _words(error: PulangError) -> dict[str, str]:
    return {name: str(value) for name, value in error.params.items()}
