"""From one Incoming to one handler, inside one transaction. What is in no table is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from handlers import (
    awaited,
    circles,
    courses,
    crisis,
    desk,
    devices,
    endings,
    family,
    home,
    meetings,
    members,
    mentor,
    own,
    plans,
    privacy,
    receipts,
    reminders,
    room,
    turns,
    typed,
    words,
    worker,
)
from handlers.incoming import Did, Incoming, Toast
from handlers.reply import Reply, Turn
from referrals.access import Action
from referrals.errors import PulangError, StaleButton, StaleLink, TooOften
from referrals.limits import Doing
from referrals.persons import SILENT, Person, Presence
from referrals.ports import Tx
from referrals.said import Notice, Priority
from referrals.service.common import doors, limits, screens
from referrals.service.common.tell import TALK
from referrals.service.people import people

Handler = Callable[[Turn], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and the action that the person's role must allow; NotAllowed otherwise."""

    action: Action
    do: Handler

    def __call__(self, turn: Turn) -> Reply:
        doors.may(turn.tx, turn.person.id, self.action)
        return self.do(turn)


COMMANDS: Mapping[str, Route] = {
    "start": Route(Action.HOME, privacy.start),
    "help": Route(Action.HOME, home.home),
    "language": Route(Action.PERSON_SETTINGS, home.language),
    "privacy": Route(Action.DATA_SEE, privacy.privacy),
    "hide": Route(Action.PERSON_HIDE, privacy.hide),
    "export": Route(Action.DATA_EXPORT, privacy.my_data),
    "delete": Route(Action.DATA_DELETE, privacy.my_data),
    "desk": Route(Action.DESK_LIST, desk.queue),
    "matter": Route(Action.DESK_LIST, desk.by_code),
    "offduty": Route(Action.SEAT_DUTY, worker.off_duty),
    "onduty": Route(Action.SEAT_DUTY, worker.on_duty),
    "reminders": Route(Action.REMINDERS_SET, reminders.settings),
    "members": Route(Action.MEMBER_LIST, members.listing),
    "cancel": Route(Action.FORM_ANSWER, family.cancel),
}

PRESSES: Mapping[str, Route] = {
    "form": Route(Action.FORM_ANSWER, family.answered),
    "form.tick": Route(Action.FORM_ANSWER, family.tick),
    "form.ticked": Route(Action.FORM_ANSWER, family.ticked),
    "form.back": Route(Action.FORM_ANSWER, family.back),
    "form.cancel": Route(Action.FORM_ANSWER, family.cancel),
    "form.go": Route(Action.FORM_ANSWER, family.go_on),
    "ask": Route(Action.REFERRAL_FILE, family.ask),
    "lang": Route(Action.PERSON_SETTINGS, privacy.set_language),
    "lang.join": Route(Action.PERSON_SETTINGS, privacy.joiners_language),
    "win": Route(Action.PERSON_SETTINGS, privacy.set_window),
    "hide": Route(Action.PERSON_HIDE, privacy.hide),
    "phone.not_me": Route(Action.DEVICE_END, devices.not_me),
    "seat.take": Route(Action.SEAT_TAKE, privacy.take_seat),
    "seat.not_now": Route(Action.SEAT_TAKE, privacy.not_now),
    "seat.yes": Route(Action.SEAT_CONFIRM, privacy.it_is_them),
    "seat.no": Route(Action.SEAT_CONFIRM, privacy.not_them),
    "scrap.keep": Route(Action.SCRAP_DECIDE, privacy.keep_scrap),
    "scrap.drop": Route(Action.SCRAP_DECIDE, privacy.drop_scrap),
    "data.keep": Route(Action.DATA_DELETE, privacy.keep_data),
    "moving.stop": Route(Action.MOVE_STOP, family.stop_move),
    "take_back": Route(Action.REFERRAL_WITHDRAW, receipts.take_back),
    "take_back.yes": Route(Action.REFERRAL_WITHDRAW, receipts.yes),
    "take_back.no": Route(Action.REFERRAL_WITHDRAW, receipts.no),
    "plan.went": Route(Action.TASK_DO, plans.went),
    "matter.helped": Route(Action.REFERRAL_CONFIRM, family.helped),
    "matter.why": Route(Action.REFERRAL_CONFIRM, family.why),
    "after": Route(Action.REFERRAL_CONFIRM, family.afterwards),
    "offer.show": Route(Action.OFFER_SEE, worker.show),
    "offer.accept": Route(Action.OFFER_ACCEPT, worker.accept),
    "offer.decline": Route(Action.OFFER_DECLINE, worker.decline),
    "end": Route(Action.SERVICE_REPORT, endings.ask),
    "end.how": Route(Action.SERVICE_REPORT, endings.how),
    "end.why": Route(Action.SERVICE_REPORT, endings.why),
    "end.undo": Route(Action.SERVICE_REPORT, endings.undo),
    "end.touch": Route(Action.SERVICE_CONTACT, endings.in_touch),
    "offer.reason": Route(Action.OFFER_DECLINE, worker.reason),
    "offer.ask": Route(Action.OFFER_ASK, turns.ask),
    "offer.queue": Route(Action.OFFER_WAITLIST, turns.queue),
    "offer.still": Route(Action.OFFER_WAITLIST, turns.still),
    "asked.show": Route(Action.OFFER_ANSWER, turns.show_question),
    "asked.answer": Route(Action.OFFER_ANSWER, turns.answer),
    "wait": Route(Action.WAIT_AGREE, turns.wait),
    "try": Route(Action.SERVICE_TRY, turns.tried),
    "reach": Route(Action.MATTER_ADD, turns.reach),
    "meet.say": Route(Action.APPOINTMENT_SAY, turns.say),
    "meet.how": Route(Action.SERVICE_APPOINT, turns.happened),
    # Who may answer which check-in, its door says: mentors, members, families and workers have theirs.
    "check": Route(Action.FORM_ANSWER, mentor.check),
    "check.save": Route(Action.FORM_ANSWER, mentor.save),
    "check.undo": Route(Action.FORM_ANSWER, mentor.undo),
    "line": Route(Action.CHECK_IN_WRITE, mentor.line),
    "invited.look": Route(Action.CIRCLE_SAY, circles.look),
    "circle": Route(Action.CIRCLE_JOIN, own.circle),
    "circle.join": Route(Action.CIRCLE_JOIN, own.join),
    "circle.leave": Route(Action.CIRCLE_JOIN, own.leave),
    "circle.not_now": Route(Action.HOME, own.not_now),
    "group": Route(Action.MEETING_KEEP, meetings.latest),
    "group.open": Route(Action.MEETING_KEEP, meetings.begin),
    "group.tick": Route(Action.MEETING_KEEP, meetings.tick),
    "group.how": Route(Action.MEETING_KEEP, meetings.ask_how),
    "group.save": Route(Action.MEETING_KEEP, meetings.save),
    "group.undo": Route(Action.MEETING_KEEP, meetings.undo),
    "group.none": Route(Action.MEETING_KEEP, meetings.none),
    "course.show": Route(Action.COURSE_FOLLOW, courses.show),
    "course.reached": Route(Action.COURSE_FOLLOW, courses.reached),
    "course.later": Route(Action.COURSE_FOLLOW, courses.later),
    "course.stop": Route(Action.COURSE_FOLLOW, courses.stop),
    "course.undo": Route(Action.COURSE_FOLLOW, courses.undo),
    "members": Route(Action.MEMBER_LIST, members.listing),
    "members.away": Route(Action.MEMBER_HAND_OVER, members.away),
    "members.away_for": Route(Action.MEMBER_HAND_OVER, members.away_for),
    "members.back": Route(Action.MEMBER_HAND_OVER, members.back),
    "hand.yes": Route(Action.MEMBER_HAND_OVER, members.hand_yes),
    "hand.no": Route(Action.MEMBER_HAND_OVER, members.hand_no),
    "hand.met": Route(Action.MEMBER_HAND_OVER, members.hand_met),
    "link.take": Route(Action.MEMBER_LINK, members.link_take),
    "link.yes": Route(Action.MEMBER_LINK, members.link_yes),
    "link.no": Route(Action.MEMBER_LINK, members.link_no),
    "link.off": Route(Action.MEMBER_LINK, members.link_off),
    "phase.fine": Route(Action.MEMBER_CHANGE, courses.fine),
    "phase.not_yet": Route(Action.MEMBER_CHANGE, courses.not_yet),
    "crisis.hold": Route(Action.CRISIS_HOLD, crisis.hold),
    "crisis.handled": Route(Action.CRISIS_END, crisis.handled),
    "crisis.let_go": Route(Action.CRISIS_HOLD, crisis.let_go),
    "danger.who": Route(Action.CRISIS_RAISE, crisis.raise_it),
    "danger.now": Route(Action.CRISIS_RAISE, crisis.say_danger),
    "danger.false": Route(Action.CRISIS_RAISE, crisis.false_alarm),
    "reminders": Route(Action.REMINDERS_SET, reminders.settings),
    "reminders.stop": Route(Action.REMINDERS_SET, reminders.stop),
    "reminders.start": Route(Action.REMINDERS_SET, reminders.start),
    "reminders.quiet": Route(Action.REMINDERS_SET, reminders.quiet),
    "reminders.days": Route(Action.REMINDERS_SET, reminders.days),
    "remind.later": Route(Action.REMINDERS_SET, reminders.later),
    "remind.snooze": Route(Action.REMINDERS_SET, reminders.snooze),
    "remind.skip": Route(Action.REMINDERS_SET, reminders.skip),
    "well.desk": Route(Action.CHECK_IN_WRITE, reminders.talk),
    "room": Route(Action.CAPACITY_SAY, room.say),
    "room.all": Route(Action.CAPACITY_SAY, room.say_all),
    "desk.queue": Route(Action.DESK_LIST, desk.queue),
    "swap": Route(Action.ROTA_SWAP, desk.swap),
    "desk.first": Route(Action.DESK_SWITCH, desk.first),
    "home": Route(Action.HOME, home.choose),
    "privacy.how_long": Route(Action.DATA_SEE, privacy.how_long),
    "words": Route(Action.HOME, words.known),
    "text": Route(Action.PERSON_SETTINGS, words.text),
    "status": Route(Action.REFERRAL_READ, words.status),
    "answer": Route(Action.FORM_ANSWER, awaited.answer),
    "cases": Route(Action.SERVICE_HAND, awaited.cases),
    "case": Route(Action.SERVICE_HAND, awaited.case),
    "next": Route(Action.FORM_ANSWER, words.next_due),
    "have": Route(Action.CRISIS_HOLD, words.have),
    "danger": Route(Action.HOME, crisis.ask),
    "page": Route(Action.HOME, typed.page),
    "number.stale": Route(Action.HOME, typed.stale),
}

UNKNOWN = Route(Action.HOME, privacy.unknown)
QUIET = Route(Action.HOME, privacy.quiet)
UNASKED_TEXT = Route(Action.SCRAP_DECIDE, privacy.unasked_text)
UNASKED_THING = Route(Action.HOME, privacy.unasked_thing)

# What is still heard of whoever is silent: all else would show whoever holds it that the chat is alive.
# Nothing at all from a phone that the desk knows to be lost: it looks the same, and /start does not end it.
AFTER_HIDING: Mapping[Presence, tuple[str, ...]] = {Presence.HIDDEN: ("start", "hide"), Presence.LOST: ()}


def handle(tx: Tx, incoming: Incoming) -> Toast:
    """One update as one turn. A repeated update changes nothing. Raises PulangError: see `refuse`."""
    if not tx.first_time(f"update:{incoming.update}"):
        return Toast()
    person = people.meet(tx, incoming.account, incoming.language_hint)
    if incoming.did is Did.BLOCKED:
        people.blocked(tx, person.id)
        return Toast()
    if incoming.did is Did.UNBLOCKED:
        people.unblocked(tx, person.id)
        return Toast()
    if person.presence is Presence.BLOCKED:  # whoever writes to us can be written to
        person = people.come_back(tx, person.id)
    turn = Turn(tx, person, typed.understood(tx, person, incoming))
    privacy.without_words(turn)
    return _say(turn, find_route(turn)(turn))


def refuse(tx: Tx, incoming: Incoming, error: PulangError) -> Toast:
    """Say kindly why nothing was changed. A press gets a toast, a message gets an answer; nothing twice."""
    if not tx.first_time(f"update:{incoming.update}"):
        return Toast()
    person = people.meet(tx, incoming.account, incoming.language_hint)
    if isinstance(error, StaleLink):
        limits.note(tx, Doing.LINK, person.id)
    if incoming.did is Did.PRESS:
        return Toast(error.code, alert=True)
    if person.presence is Presence.LOST:  # whatever went wrong, whoever holds that phone hears nothing
        return Toast()
    person = people.come_back(tx, person.id)  # their /start was heard, even though its link leads nowhere
    turn = Turn(tx, person, incoming)
    if incoming.did is Did.TEXT:  # a word or a line that led nowhere does not stay in the chat either
        privacy.remove_from_chat(turn)
    if isinstance(error, TooOften):
        return _say(turn, privacy.too_often(turn, int(str(error.params.get("minutes", 1)))))
    return _say(turn, Reply(error.code, _words(error), home.home(turn).buttons))


def find_route(turn: Turn) -> Route:
    """The handler for what a person did; StaleButton for a button that is in no table."""
    incoming = turn.incoming
    hidden = turn.person.presence in SILENT
    # The bare word is a command only for whoever answers by text: else it is what anybody may try on a phone.
    by_word = incoming.typed and not turn.person.by_text
    heard = () if by_word else AFTER_HIDING.get(turn.person.presence, ())
    if incoming.did is Did.COMMAND and (not hidden or incoming.text in heard):
        return COMMANDS.get(incoming.text, UNKNOWN)
    if incoming.did is Did.PRESS:
        version, _, rest = incoming.data.partition(":")
        route = PRESSES.get(rest.split(":")[0])
        if hidden and incoming.typed:
            return QUIET
        if version != "1" or route is None or hidden:
            raise StaleButton
        return route
    if hidden:
        return QUIET
    if incoming.did is Did.TEXT:
        return UNASKED_TEXT
    return UNASKED_THING


def _say(turn: Turn, reply: Reply) -> Toast:
    incoming = turn.incoming
    pressed = incoming.did is Did.PRESS and not incoming.typed
    if not pressed and incoming.message_id is not None:
        turn.tx.heard(turn.person.id, incoming.message_id)
    person = doors.person_by_id(turn.tx, turn.person.id)  # a setting of theirs may just have changed
    text = reply.text
    if incoming.typed and person.presence not in SILENT:  # typed words get no toast, so it is said
        text = text or reply.toast
    if text:
        notice = Notice(
            turn.person.id,
            text,
            reply.params,
            reply.buttons,
            Priority.REPLY,
            reply.slot or TALK,
            fresh=not pressed,
            message_id=incoming.message_id if pressed else None,
            # Whoever types looks at the chat, and whoever answers by text has no message to edit.
            quiet=reply.details and pressed and not person.by_text,
        )
        screens.queue(turn.tx, notice, person)
    return Toast(reply.toast, reply.alert, _menu(turn, person))


def _menu(turn: Turn, person: Person) -> str:
    """The menu button speaks the language that was just chosen; /start sets it once more."""
    began = turn.incoming.did is Did.COMMAND and turn.incoming.text == "start"
    return person.language if began or person.language != turn.person.language else ""


def _words(error: PulangError) -> dict[str, str]:
    return {name: str(value) for name, value in error.params.items()}
