"""Every refusal of the product is one of these, and its `code` is a text key in `locales/`.

'Absent' and 'forbidden' sound alike on purpose: an answer that differs would tell whether something exists.
"""

from __future__ import annotations

from collections.abc import Mapping


class PulangError(Exception):
    """The root of the tree. `params` fill the placeholders of the text that `code` names."""

    code = "error.unexpected"

    def __init__(self, message: str = "", /, **params: object) -> None:
        super().__init__(message or type(self).code)
        self.params: Mapping[str, object] = params


class Refused(PulangError):
    """A person asked for something that cannot be done now. Nothing was changed."""

    code = "error.refused"


class NotFound(Refused):
    """There is no such thing, or it is not this person's to see: the two are never told apart."""

    code = "error.not_found"


class NotAllowed(Refused):
    """This role may not do this at all, whatever it is done to."""

    code = "error.not_allowed"


class WrongStage(Refused):
    """The matter has moved on: this step is not possible from where it stands."""

    code = "error.wrong_stage"


class OnwardLoop(Refused):
    """A further need that its chain has been to already: whoever needs it again asks anew."""

    code = "error.onward_loop"


class AlreadyHandled(WrongStage):
    """Somebody else was faster; said kindly, because it is good news."""

    code = "error.already_handled"


class OfferOver(AlreadyHandled):
    """A decision on an offer that has lapsed, was taken back or was answered: nothing is changed by it."""

    code = "error.offer_over"


class TurnOver(WrongStage):
    """The person answers something that needs no answer any more: the turn that asked it has ended."""

    code = "error.turn_over"


class NoMoreQuestions(Refused):
    """A partner asks once, before it decides, and never in an emergency."""

    code = "error.no_more_questions"


class CannotWait(Refused):
    """Somebody who needs help at once is put on no waiting list."""

    code = "error.cannot_wait"


class NoConsent(Refused):
    """The person's consent (or the agreement) does not cover this, at this moment."""

    code = "error.no_consent"


class DoesAnotherPart(NoConsent):
    """This organisation does a part of the same plan that must not be done by the same as this one."""

    code = "error.does_another_part"


class NoThread(NoConsent):
    """With this organisation nothing is exchanged in writing: its agreement does not name stories."""

    code = "error.no_thread"


class NotSealedFor(NotFound):
    """The actor holds no wrap of the record's key for this class, so nothing can be opened."""


class BadAnswer(Refused):
    """An answer to a form does not fit; the question is asked again."""

    code = "error.bad_answer"


class TooLong(BadAnswer):
    """A text is longer than the field takes. `params`: limit, length (characters)."""

    code = "error.too_long"


class BadLine(BadAnswer):
    """A typed line that is no whole check-in; the answer shows what one looks like."""

    code = "error.bad_line"


class BadDay(BadLine):
    """A line about a day that is still to come, or too long ago. `params`: days (how many back)."""

    code = "error.bad_day"


class WrongCaseCode(BadAnswer):
    """No case code of this person's own members. `params`: typed, meant (one of their own that is near)."""

    code = "error.wrong_case_code"


class NoCaseCode(WrongCaseCode):
    """The same, where nothing of their own is near. `params`: typed."""

    code = "error.no_case_code"


class StaleLink(Refused):
    """A deep link, invitation or page that was used, has expired or never was."""

    code = "error.stale_link"


class StaleButton(Refused):
    """A button of an older message, or one that was never ours."""

    code = "error.stale_button"


class StaleNumber(StaleButton):
    """A typed number that no message in the chat asks for (any more)."""

    code = "error.stale_number"


class SessionOver(Refused):
    """The secure page must be opened again from the chat. What was typed stays in the page."""

    code = "error.session_over"


class PinNeeded(Refused):
    """Reading asks for the PIN on this device. What was typed stays in the page; writing goes on without."""

    code = "error.pin_needed"


class WrongPin(Refused):
    """The PIN does not fit. `params`: minutes until the next try, 0 when it may be tried again at once."""

    code = "error.wrong_pin"


class WrongCode(WrongPin):
    """The recovery code does not fit. `params`: as WrongPin."""

    code = "error.wrong_code"


class WeakPin(BadAnswer):
    """Not 6 to 12 digits, or among the PINs that everybody tries first."""

    code = "error.weak_pin"


class DeviceEnded(Refused):
    """The PIN was tried too often on this device: it must be let in anew. Asking and writing go on."""

    code = "error.device_ended"


class TooOften(Refused):
    """A rate limit for strangers. `params`: minutes."""

    code = "error.too_often"


class CannotTakeOn(Refused):
    """This mentor cannot look after this member now: full, away, gone, or for a reason that stays private."""

    code = "error.cannot_take_on"


class LastSteward(Refused):
    """Without a steward nobody could invite anybody any more."""

    code = "error.last_steward"


class ConfigurationError(PulangError):
    """A setting, catalogue, network, key or database is broken: the program does not start.

    `where` is what a person can open (a setting's name, `file:line`), `mend` says what to do.
    """

    code = "error.configuration"

    def __init__(self, where: str, what: str, mend: str) -> None:
        super().__init__(f"{where}: {what}\n  To mend it: {mend}")
        self.where, self.what, self.mend = where, what, mend


class StoreError(PulangError):
    """The database could not do its work; the turn was rolled back and can be tried again."""

    code = "error.store"


class StaleRow(StoreError):
    """The row was changed by another turn since it was read: the turn is run again."""
