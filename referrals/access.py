"""Who may do what: one table of role x action, and one vocabulary for permissions and audit rows.

Relations ('their own', 'their organisation's turn') are checked by the doors in `service/common/doors.py`;
what may be read is decided by possession of a key. A verb that is not in this table cannot be reached.
"""

from __future__ import annotations

from enum import StrEnum

from referrals.errors import NotAllowed
from referrals.model import Actor, Role


class Action(StrEnum):
    """What can be done; the same words stand in the audit."""

    REFERRAL_FILE = "referral:file"
    REFERRAL_READ = "referral:read"
    REFERRAL_WITHDRAW = "referral:withdraw"
    REFERRAL_CONFIRM = "referral:confirm"
    REFERRAL_STEP = "referral:step"  # a timer or the matching moved it
    ACCESS_GIVE = "access:give"  # an organisation got a key, because consent and agreement allow it now
    ACCESS_CUT = "access:cut"
    REMIND = "remind:send"  # somebody is reminded, or told that nobody has answered
    WAIT_OVER = "wait:over"  # what had a time limit has reached it
    OFFER_SEE = "offer:see"
    OFFER_ACCEPT = "offer:accept"
    OFFER_DECLINE = "offer:decline"
    OFFER_WAITLIST = "offer:waitlist"
    OFFER_ASK = "offer:ask"
    OFFER_ANSWER = "offer:answer"  # the person answers a partner's question
    WAIT_AGREE = "wait:agree"  # the person's yes (or no) to waiting
    SERVICE_CONTACT = "service:contact"
    SERVICE_TRY = "service:try"  # an attempt to reach the person
    SERVICE_APPOINT = "service:appoint"
    SERVICE_HAND = "service:hand"  # to a colleague of the same organisation
    SERVICE_ONWARD = "service:onward"  # to another organisation: a transfer, or a further need
    APPOINTMENT_SAY = "appointment:say"  # the person: I was there, I could not come
    MATTER_ADD = "matter:add"  # the person adds something to what they wrote
    SERVICE_REPORT = "service:report"
    SERVICE_RETURN = "service:return"
    THREAD_WRITE = "thread:write"
    THREAD_READ = "thread:read"
    DESK_LIST = "desk:list"
    DESK_REMATCH = "desk:rematch"
    DESK_CLOSE = "desk:close"
    DESK_RESOLVE = "desk:resolve"
    DESK_VOID = "desk:void"
    DESK_TAKE = "desk:take"
    DESK_ASSIGN = "desk:assign"
    DESK_NOTE = "desk:note"
    DESK_RECALL = "desk:recall"  # a live offer is taken back
    ROTA_SWAP = "rota:swap"  # two coordinators exchange a turn on call
    DESK_SHARE = "desk:share"  # the person lets the desk read along from now on
    CAPACITY_SAY = "capacity:say"
    DIRECTORY_STALE = "directory:stale"  # the report of what nobody has confirmed
    UNMET_REPORT = "unmet:report"
    CLOSING_REPORT = "closing:report"  # how it was, as it was said at the end
    TASK_DO = "task:do"
    TASK_PLAN = "task:plan"  # day, place, which tasks
    CIRCLE_SAY = "circle_side:say"  # yes, yes again, stop
    CIRCLE_LEAD = "circle_side:lead"  # the facilitator's steps
    ATTENDANCE_SEND = "attendance:send"
    ATTENDANCE_ASK = "attendance:ask"
    CHECK_IN_WRITE = "check_in:write"
    CRISIS_RAISE = "crisis:raise"
    CRISIS_HOLD = "crisis:hold"
    CRISIS_END = "crisis:end"
    # Programmes, members, and the contact with them.
    PROGRAMME_APPLY = "programme:apply"  # move people to a newer version
    MEMBER_ENROL = "member:enrol"
    MEMBER_LIST = "member:list"  # a mentor's caseload
    MEMBER_READ = "member:read"
    MEMBER_CHANGE = "member:change"  # phase, milestones, pause, leave, return, rhythm
    MEMBER_HAND_OVER = "member:hand_over"
    MEMBER_LINK = "member:link"  # tie the member's own phone to their code
    CIRCLE_JOIN = "circle:join"  # a family wishes to be asked how it is
    OWN_CHECK_IN = "own_check_in:write"
    SERVICE_CHECK_IN = "service_check_in:write"
    MEETING_KEEP = "meeting:keep"
    COURSE_FOLLOW = "course:follow"
    REMINDERS_SET = "reminders:set"
    SAFETY_PLAN = "safety:plan"
    SAFETY_SEE = "safety:see"  # whoever wrote it, whom it is about, whoever holds an open alarm
    SAFETY_ASK = "safety:ask"  # to share for safety: a coordinator asks
    SAFETY_AGREE = "safety:agree"  # and a steward agrees
    SAFETY_READ = "safety:read"  # the page: workers read the words, whoever decided sees codes
    SAFETY_END = "safety:end"  # nothing more is read of what was shared
    SAFETY_LIST = "safety:list"  # what is shared now, and what somebody was not told
    CONSENT_WORD = "consent:word"  # read out by a mentor, given by word
    CONSENT_CHECK = "consent:check"  # the desk asks whether it is true
    CONSENT_CUT = "consent:cut"  # whoever brings the receipt's code withdraws
    AGREEMENT_SEE = "agreement:see"
    OUTBOX_SEE = "outbox:see"  # what Telegram refused
    OUTBOX_RESEND = "outbox:resend"
    SEALED_READ = "sealed:read"
    NETWORK_APPLY = "network:apply"
    SEAT_INVITE = "seat:invite"
    SEAT_TAKE = "seat:take"
    PERSON_SETTINGS = "person:settings"
    PERSON_HIDE = "person:hide"
    RETENTION = "retention:destroy"
    # What everybody may do with themselves: begin, look around, answer a form, keep or drop a note of theirs.
    HOME = "home:open"
    FORM_ANSWER = "form:answer"
    SCRAP_DECIDE = "scrap:decide"
    # Devices and phones.
    DEVICE_LIST = "device:list"
    DEVICE_ENROL = "device:enrol"
    DEVICE_PROVE = "device:prove"
    DEVICE_RECOVER = "device:recover"
    DEVICE_END = "device:end"
    DEVICE_VOUCH = "device:vouch"
    PHONE_LOST = "phone:lost"
    # Posts.
    SEAT_LIST = "seat:list"
    SEAT_CONFIRM = "seat:confirm"
    SEAT_REMOVE = "seat:remove"
    SEAT_DUTY = "seat:duty"
    # Following and moving a matter.
    TRACK_MAKE = "track:make"
    TRACK_LOOK = "track:look"
    MOVE_ASK = "move:ask"
    MOVE_STOP = "move:stop"
    MOVE_ALLOW = "move:allow"
    # What is held about a person.
    DATA_SEE = "data:see"
    DATA_EXPORT = "data:export"
    DATA_DELETE = "data:delete"
    READERS_SEE = "readers:see"
    # Looking after the network.
    DESK_SWITCH = "desk:switch"
    AUDIT_READ = "audit:read"
    AUDIT_CHECKPOINT = "audit:checkpoint"
    AUDIT_WITNESS = "audit:witness"
    READING_CAP = "reading:cap"
    KEYS_STATUS = "keys:status"
    KEYS_ROTATE = "keys:rotate"
    BACKUP_MAKE = "backup:make"
    BACKUP_RESTORE = "backup:restore"


_ANYBODY = frozenset(Role) - {Role.SYSTEM}
_ASKS = frozenset({Role.FAMILY, Role.MEMBER, Role.MENTOR})
_LOOKS_AFTER = frozenset({Role.COORDINATOR, Role.STEWARD})

ALLOWED: dict[Action, frozenset[Role]] = {
    Action.REFERRAL_FILE: _ASKS,
    Action.REFERRAL_READ: _ASKS | {Role.WORKER, Role.COORDINATOR},
    Action.REFERRAL_WITHDRAW: _ASKS,
    Action.REFERRAL_CONFIRM: _ASKS,
    Action.REFERRAL_STEP: frozenset({Role.SYSTEM}),
    Action.ACCESS_GIVE: frozenset({Role.SYSTEM}),
    Action.ACCESS_CUT: frozenset({Role.SYSTEM}),
    Action.REMIND: frozenset({Role.SYSTEM}),
    Action.WAIT_OVER: frozenset({Role.SYSTEM}),
    Action.OFFER_SEE: frozenset({Role.WORKER}),
    Action.OFFER_ACCEPT: frozenset({Role.WORKER}),
    Action.OFFER_DECLINE: frozenset({Role.WORKER}),
    Action.OFFER_WAITLIST: frozenset({Role.WORKER}),
    Action.OFFER_ASK: frozenset({Role.WORKER}),
    Action.OFFER_ANSWER: _ASKS,
    Action.WAIT_AGREE: _ASKS,
    Action.SERVICE_CONTACT: frozenset({Role.WORKER}),
    Action.SERVICE_TRY: frozenset({Role.WORKER}),
    Action.SERVICE_APPOINT: frozenset({Role.WORKER}),
    Action.SERVICE_HAND: frozenset({Role.WORKER}),
    Action.SERVICE_ONWARD: frozenset({Role.WORKER}),
    Action.APPOINTMENT_SAY: _ASKS,
    Action.MATTER_ADD: _ASKS,
    Action.SERVICE_REPORT: frozenset({Role.WORKER}),
    Action.SERVICE_RETURN: frozenset({Role.WORKER}),
    Action.THREAD_WRITE: _ASKS | {Role.WORKER, Role.COORDINATOR},  # the desk: with the person's yes
    Action.THREAD_READ: _ASKS | {Role.WORKER, Role.COORDINATOR},
    Action.DESK_LIST: frozenset({Role.COORDINATOR}),
    Action.DESK_REMATCH: frozenset({Role.COORDINATOR}),
    Action.DESK_CLOSE: frozenset({Role.COORDINATOR}),
    Action.DESK_RESOLVE: frozenset({Role.COORDINATOR}),
    Action.DESK_VOID: frozenset({Role.COORDINATOR}),
    Action.DESK_TAKE: frozenset({Role.COORDINATOR}),
    Action.DESK_ASSIGN: frozenset({Role.COORDINATOR}),
    Action.DESK_NOTE: frozenset({Role.COORDINATOR}),
    Action.DESK_RECALL: frozenset({Role.COORDINATOR}),
    Action.ROTA_SWAP: frozenset({Role.COORDINATOR}),
    Action.DESK_SHARE: _ASKS,
    Action.CAPACITY_SAY: frozenset({Role.WORKER}),
    Action.DIRECTORY_STALE: _LOOKS_AFTER,
    Action.UNMET_REPORT: _LOOKS_AFTER,
    Action.CLOSING_REPORT: _LOOKS_AFTER,
    Action.TASK_DO: _ASKS | {Role.WORKER, Role.COORDINATOR},
    Action.TASK_PLAN: _ASKS | {Role.WORKER},
    Action.CIRCLE_SAY: _ASKS,
    Action.CIRCLE_LEAD: frozenset({Role.WORKER}),
    Action.ATTENDANCE_SEND: frozenset({Role.MEMBER}),
    Action.ATTENDANCE_ASK: frozenset({Role.WORKER}),
    Action.CHECK_IN_WRITE: frozenset({Role.MENTOR}),
    Action.CRISIS_RAISE: _ASKS,
    Action.CRISIS_HOLD: frozenset({Role.COORDINATOR}),
    Action.CRISIS_END: frozenset({Role.COORDINATOR}),
    Action.PROGRAMME_APPLY: frozenset({Role.STEWARD}),
    Action.MEMBER_ENROL: frozenset({Role.COORDINATOR}),
    Action.MEMBER_LIST: frozenset({Role.MENTOR}),
    Action.MEMBER_READ: frozenset({Role.MENTOR}),
    Action.MEMBER_CHANGE: frozenset({Role.MENTOR, Role.COORDINATOR, Role.SYSTEM}),
    Action.MEMBER_HAND_OVER: frozenset({Role.MENTOR, Role.COORDINATOR, Role.SYSTEM}),
    Action.MEMBER_LINK: _ASKS,
    Action.CIRCLE_JOIN: _ASKS,
    Action.OWN_CHECK_IN: frozenset({Role.FAMILY, Role.MEMBER}),
    Action.SERVICE_CHECK_IN: frozenset({Role.WORKER}),
    Action.MEETING_KEEP: frozenset({Role.MENTOR}),
    Action.COURSE_FOLLOW: frozenset({Role.MENTOR, Role.SYSTEM}),
    Action.REMINDERS_SET: _ANYBODY,
    Action.SAFETY_PLAN: frozenset({Role.MENTOR}),
    Action.SAFETY_SEE: frozenset({Role.MENTOR, Role.MEMBER, Role.COORDINATOR}),
    Action.SAFETY_ASK: frozenset({Role.COORDINATOR}),
    Action.SAFETY_AGREE: frozenset({Role.STEWARD}),
    Action.SAFETY_READ: frozenset({Role.WORKER}) | _LOOKS_AFTER,
    Action.SAFETY_END: _LOOKS_AFTER | {Role.SYSTEM},
    Action.SAFETY_LIST: frozenset({Role.STEWARD}),
    Action.CONSENT_WORD: frozenset({Role.MENTOR}),
    Action.CONSENT_CHECK: frozenset({Role.COORDINATOR}),
    Action.CONSENT_CUT: _ANYBODY,
    Action.AGREEMENT_SEE: frozenset({Role.STEWARD}),
    Action.OUTBOX_SEE: _LOOKS_AFTER,
    Action.OUTBOX_RESEND: _LOOKS_AFTER,
    Action.SEALED_READ: _ANYBODY | {Role.SYSTEM},
    Action.NETWORK_APPLY: frozenset({Role.STEWARD}),
    Action.SEAT_INVITE: frozenset({Role.STEWARD}),
    Action.SEAT_TAKE: _ANYBODY,
    Action.PERSON_SETTINGS: _ANYBODY,
    Action.PERSON_HIDE: _ANYBODY,
    Action.RETENTION: frozenset({Role.SYSTEM}),
    Action.HOME: _ANYBODY,
    Action.FORM_ANSWER: _ANYBODY,
    Action.SCRAP_DECIDE: _ANYBODY,
    Action.DEVICE_LIST: _ANYBODY,
    Action.DEVICE_ENROL: _ANYBODY,
    Action.DEVICE_PROVE: _ANYBODY,
    Action.DEVICE_RECOVER: _ANYBODY,
    Action.DEVICE_END: _ANYBODY,
    Action.DEVICE_VOUCH: _LOOKS_AFTER,
    Action.PHONE_LOST: _LOOKS_AFTER,
    Action.SEAT_LIST: _LOOKS_AFTER,
    Action.SEAT_CONFIRM: _LOOKS_AFTER,
    Action.SEAT_REMOVE: frozenset({Role.STEWARD}),
    Action.SEAT_DUTY: frozenset({Role.MENTOR, Role.WORKER, Role.COORDINATOR, Role.STEWARD}),
    Action.TRACK_MAKE: _ASKS,
    Action.TRACK_LOOK: _ANYBODY,
    Action.MOVE_ASK: _ANYBODY,
    Action.MOVE_STOP: _ASKS,
    Action.MOVE_ALLOW: frozenset({Role.COORDINATOR}),
    Action.DATA_SEE: _ANYBODY,
    Action.DATA_EXPORT: _ANYBODY,
    Action.DATA_DELETE: _ANYBODY,
    Action.READERS_SEE: _ASKS,
    Action.DESK_SWITCH: frozenset({Role.COORDINATOR}),
    Action.AUDIT_READ: frozenset({Role.STEWARD}),
    Action.AUDIT_CHECKPOINT: frozenset({Role.STEWARD, Role.SYSTEM}),
    Action.AUDIT_WITNESS: frozenset({Role.WORKER}),
    Action.READING_CAP: frozenset({Role.SYSTEM}),
    Action.KEYS_STATUS: frozenset({Role.STEWARD}),
    Action.KEYS_ROTATE: frozenset({Role.STEWARD}),
    Action.BACKUP_MAKE: frozenset({Role.STEWARD}),
    Action.BACKUP_RESTORE: frozenset({Role.STEWARD}),
}


def allow(actor: Actor, action: Action) -> None:
    """Raise NotAllowed unless the actor's role may do this at all."""
    if actor.role not in ALLOWED[action]:
        raise NotAllowed
