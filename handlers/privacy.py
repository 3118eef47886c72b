"""What everybody can do: start, language, privacy, hide; and what happens to things sent unasked."""

from __future__ import annotations

from dataclasses import replace

from handlers import circles, family, home, members
from handlers.incoming import Did
from handlers.reply import Reply, Turn
from referrals.errors import StaleLink
from referrals.limits import Doing
from referrals.said import Keyboard, Notice
from referrals.service import leaving
from referrals.service.common import doors, emergency, limits
from referrals.service.common.tell import column, page_button, press
from referrals.service.contact import wishes
from referrals.service.joint import circle_invitations
from referrals.service.members import linking
from referrals.service.people import joining, people


def start(turn: Turn) -> Reply:
    """/start, with or without a deep link's payload."""
    people.come_back(turn.tx, turn.person.id)
    # The word START undoes STOP, and says so; a press of /start is only a look.
    again = turn.incoming.typed and wishes.start(turn.tx, turn.person.id)
    payload = turn.incoming.argument
    if payload.startswith(joining.PREFIX):
        return invitation(turn, payload.removeprefix(joining.PREFIX))
    if payload.startswith(linking.PREFIX):
        return members.link_opened(turn, payload.removeprefix(linking.PREFIX))
    if payload.startswith(circle_invitations.PREFIX):
        return circles.link_opened(turn, payload.removeprefix(circle_invitations.PREFIX))
    if not payload:
        return replace(home.home(turn), text="reminders.started") if again else home.home(turn)
    poster = turn.tx.directory.posters.get(payload)
    if poster is None:
        raise StaleLink
    if poster.language in turn.tx.catalogue.languages and not turn.person.language:
        # Whoever reads a Thai poster reads Thai; /language changes it.
        turn = replace(turn, person=people.choose_language(turn.tx, turn.person.id, poster.language))
    return family.begin(turn, poster.pathway)


def set_language(turn: Turn) -> Reply:
    """A language button outside a form."""
    people.choose_language(turn.tx, turn.person.id, turn.word(0))
    return Reply("home.hello", {}, home.buttons(turn))


def privacy(turn: Turn) -> Reply:
    """/privacy: what is kept and who reads it; how long and how to leave is a second short screen."""
    return Reply("privacy.summary", {}, ((press("button.how_long", "privacy.how_long"),), *_own_data()))


def how_long(turn: Turn) -> Reply:
    """How long things are kept, and how to leave."""
    return Reply("privacy.how_long", {}, _own_data())


def my_data(turn: Turn) -> Reply:
    """/export and /delete: both live on one secure page."""
    return Reply("privacy.my_data", {}, _own_data())


def keep_data(turn: Turn) -> Reply:
    """'Keep it', within the day that a deletion waits: the verb itself edits the message."""
    leaving.keep(turn.tx, turn.person.id)
    return Reply(toast="toast.kept")


def _own_data() -> Keyboard:
    return column([page_button("button.my_data", "mydata"), page_button("button.settings", "me")])


def hide(turn: Turn) -> Reply:
    """/hide and its button: no words at all, only silence, and the word itself goes too."""
    people.hide(turn.tx, turn.person.id)
    if turn.incoming.did is Did.COMMAND:
        remove_from_chat(turn)
    return Reply(toast="toast.hidden")


def invitation(turn: Turn, token: str) -> Reply:
    """An invitation's link only shows what it is for; a button asks for it."""
    seat = joining.look(turn.tx, turn.person.id, token)
    return Reply(
        "join.invited",
        {"role": f"@role.{seat.role}"},
        ((press("button.join", "seat.take", token),), (press("button.not_now", "seat.not_now"),)),
    )


def not_now(turn: Turn) -> Reply:
    """'Not now' to an invitation: it stays open, and so does whatever else was going on."""
    return home.home(turn)


def take_seat(turn: Turn) -> Reply:
    """The button 'Join': it asks, and a second person says yes."""
    return _asks(turn, joining.ask(turn.tx, turn.person.id, turn.word(0)))


def joiners_language(turn: Turn) -> Reply:
    """A language button below 'Join': then the same in that language."""
    people.choose_language(turn.tx, turn.person.id, turn.word(0))
    turn = replace(turn, person=doors.person_by_id(turn.tx, turn.person.id))
    asked = joining.pending_of(turn.tx, turn.person.id)
    if asked is not None:
        return _asks(turn, asked)
    return Reply("join.window", {}, joining.windows())


def set_window(turn: Turn) -> Reply:
    """'May we write here, and when?', answered outside a form."""
    people.choose_window(turn.tx, turn.person.id, turn.word(0))
    return home.home(turn)


def it_is_them(turn: Turn) -> Reply:
    """'Yes, it is them', by the second person."""
    seat = joining.confirm(turn.tx, turn.person.id, turn.word(0))
    return Reply("join.confirmed", {"role": f"@role.{seat.role}"}, slot=f"seat:{turn.word(0)}")


def not_them(turn: Turn) -> Reply:
    """'No', by the second person."""
    joining.refuse(turn.tx, turn.person.id, turn.word(0))
    return Reply("join.refused", slot=f"seat:{turn.word(0)}")


def _asks(turn: Turn, asked: joining.Asked) -> Reply:
    """What became of asking: the number to compare, or the welcome; and the language, if none is chosen."""
    text = "join.welcome" if asked.joined else "join.waiting"
    shown = {"role": f"@role.{asked.seat.role}"} if asked.joined else {"check": asked.check}
    if not turn.person.language:
        return Reply(f"{text}_language", shown, joining.languages(turn.tx), slot=asked.slot)
    return Reply(text, shown, joining.windows() if asked.joined else (), slot=asked.slot)


def unasked_text(turn: Turn) -> Reply:
    """Free text in the chat: taken out of it at once, sealed for 15 minutes, and a kind question."""
    remove_from_chat(turn)
    minutes = limits.wait(turn.tx, Doing.SCRAP, turn.person.id)
    if minutes:  # too much of it is not even sealed; it is taken out all the same
        return too_often(turn, minutes)
    limits.note(turn.tx, Doing.SCRAP, turn.person.id)
    scrap = people.keep_scrap_moment(turn.tx, turn.person.id, turn.incoming.text)
    return Reply(
        "chat.text_taken_out",
        {},
        (
            (
                press("button.keep_it", "scrap.keep", scrap.id),
                press("button.throw_away", "scrap.drop", scrap.id),
            ),
            *home.buttons(turn),
        ),
        slot=f"scrap:{scrap.id}",
    )


def too_often(turn: Turn, minutes: int) -> Reply:
    """Kind words for whoever does too much at once; whoever is in danger reads where to call."""
    shown = {"minutes": str(minutes), "lines": emergency.for_person(turn.tx, turn.person.id)}
    return Reply("chat.too_often", shown, home.buttons(turn), slot="unasked")


def unasked_thing(turn: Turn) -> Reply:
    """A sticker, photo, voice, forward, contact, edit: taken out of the chat, with a word on what works."""
    remove_from_chat(turn)
    return Reply("chat.only_buttons", {}, home.buttons(turn), slot="unasked")


def keep_scrap(turn: Turn) -> Reply:
    """'Keep it'."""
    kept = people.keep_scrap(turn.tx, turn.person.id, turn.word(0))
    if kept is people.Kept.WHICH:
        mine = ((page_button("button.my_things", "me"),),)
        return Reply("chat.which_one", {}, mine, slot=f"scrap:{turn.word(0)}")
    text = "chat.kept" if kept is people.Kept.KEPT else "chat.nothing_to_add_to"
    return Reply(text, slot=f"scrap:{turn.word(0)}")


def drop_scrap(turn: Turn) -> Reply:
    """'Throw it away'."""
    people.drop_scrap_of(turn.tx, turn.person.id, turn.word(0))
    return Reply("chat.thrown_away", slot=f"scrap:{turn.word(0)}")


def unknown(turn: Turn) -> Reply:
    """A command that is not there: what is possible instead."""
    remove_from_chat(turn)
    return Reply("chat.unknown_command", {}, home.buttons(turn))


def quiet(turn: Turn) -> Reply:
    """After /hide the chat looks unused, whoever holds the phone; only /start ends that."""
    remove_from_chat(turn)
    return Reply()


def without_words(turn: Turn) -> None:
    """Words behind a command are words in the chat like any other, and so are code words: none stay there."""
    incoming = turn.incoming
    behind = incoming.did is Did.COMMAND and incoming.argument and incoming.text != "start"
    if incoming.typed or behind:
        remove_from_chat(turn)


def remove_from_chat(turn: Turn) -> None:
    if turn.incoming.message_id is not None:
        turn.tx.say(Notice(turn.person.id, "", message_id=turn.incoming.message_id))
