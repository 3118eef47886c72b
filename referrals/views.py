"""What a secure page shows: frozen values that `service/` fills and `console/` sends as JSON.

Fields named `*_key` are text keys; names of areas and organisations are already in the reader's language.
Nothing here is for the chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose: `id` goes back to the server; `label` or `label_key` is shown."""

    id: str
    label: str = ""
    label_key: str = ""
    depth: int = 0  # areas: level in the tree
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A partner in the proposed plan, in order, with the reasons why it is there (text keys + parameters)."""

    service_id: str
    service: str
    organization: str
    kind_key: str  # 'kind.<kind>'
    reasons: tuple[tuple[str, dict[str, str]], ...]
    task_key: str = ""  # of a plan of several parts: the part ('task.<id>') that it would be asked for


@dataclass(frozen=True, slots=True)
class PlanView:
    """Page 'plan': a family chooses area, urgency and exclusions, reads the plan, consents, writes a note.

    `consent_text` are the exact words that the yes is given to; `consent_digest` comes back with the yes, so
    that a plan which changed meanwhile is never agreed to unseen. Empty while no area is chosen.
    """

    category_key: str
    areas: tuple[Choice, ...]
    urgencies: tuple[Choice, ...]
    organizations: tuple[Choice, ...]  # that could be excluded
    kinds: tuple[Choice, ...]
    plan: tuple[PlanLine, ...]
    nobody: bool  # an area is chosen and nobody can help there: the desk will look
    consent_text: str
    consent_digest: str
    note_limit: int
    emergency_lines: tuple[str, ...] = ()
    categories: tuple[Choice, ...] = ()  # where what is needed is chosen here, and not in the chat
    no: str = ""  # somebody else wrote it for this reader: the text key of 'no'
    draft: str = ""  # which request it is; it comes back with the yes, where a visit has several
    before: str = ""  # of several: the code of the one that was filed just now
    same_since: datetime | None = None  # the same need was asked for then, and is still open
    changes: tuple[tuple[str, str], ...] = ()  # since an earlier yes: text key, and what it names
    days: tuple[Choice, ...] = ()  # when it is safe to call, and how
    parts: tuple[Choice, ...] = ()
    how: tuple[Choice, ...] = ()
    assents: tuple[Choice, ...] = ()  # somebody under 18: whose yes it is
    homes: tuple[Choice, ...] = ()  # and whether somebody at home may be spoken with
    behalf: tuple[Choice, ...] = ()  # why it may be filed for somebody who cannot decide
    agreed: tuple[Choice, ...] = ()
    spans: tuple[Choice, ...] = ()
    must: tuple[Choice, ...] = ()  # what must be so: without papers, without a fee, helped by a woman …
    about: tuple[Choice, ...] = ()  # a complaint: whom it is about, and which organisations
    about_organizations: tuple[Choice, ...] = ()
    call_now: bool = False  # whom to call stands there however soon it is asked for
    parted: bool = False  # each part of it asks partners of its own


@dataclass(frozen=True, slots=True)
class FiledView:
    """After filing: the receipt. Shown on the page, kept under the menu button."""

    code: str
    stage_key: str
    next_by: datetime | None
    consent_text: str
    filed: bool = True
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferView:
    """Page 'offer': the blind offer. Never who, never a private wish."""

    code: str
    category_key: str
    urgency_key: str
    language: str
    area: str
    age_key: str
    decide_by: datetime
    stage_key: str
    decline_reasons: tuple[Choice, ...]
    may_decide: bool
    may_ask: bool
    sections: tuple[Section, ...] = ()  # one question first, a waiting list: `pages/offer_turns.py`


@dataclass(frozen=True, slots=True)
class Step:
    """Something this reader may do now on a page. The body that comes with it is named after `needs`:

    '' | 'yes' | 'text' | 'code' | 'pin' | 'outcome' (with `reason`) | 'reason' (one of `choices`) |
    'code_choice' (`code`, and `reason`: one of `choices`) | 'several' (`chosen`: a list of `choices`) |
    'day' ('2026-11-30') | 'moment' ('2026-11-30T14:30', by the reader's own clock).
    """

    id: str
    label_key: str
    needs: str = ""
    choices: tuple[Choice, ...] = ()
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One line of words: a text key of `part.`, its parameters (never a key), and the moment it is about."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """To another page: its label (a text key of `part.`), and how much waits there."""

    page: str
    label_key: str
    count: int = 0
    chosen: bool = False  # it is this one


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page that needs no script of its own: a heading, lines, and steps.

    `body` goes with each of its steps; texts begin with `part.`, those of steps as everywhere. `count` is
    the title's {count}; `matters` are rows that open a matter, `ways` small buttons to other pages.
    """

    title_key: str
    lines: tuple[Said, ...] = ()
    steps: tuple[Step, ...] = ()
    body: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    matters: tuple[MatterLine, ...] = ()
    ways: tuple[Way, ...] = ()
    folded: bool = False  # behind its heading until somebody opens it
    later: bool = False  # on a matter's page: below what was written and what both sides say
    name: str = ""  # the title's {name}


@dataclass(frozen=True, slots=True)
class SectionsView:
    """A page that is nothing but sections. `locked`: what needs the PIN is left out until then."""

    title_key: str
    sections: tuple[Section, ...]
    lines: tuple[Said, ...] = ()  # below the title
    locked: bool = False
    emergency_lines: tuple[str, ...] = ()  # where somebody may be in danger: above everything else


@dataclass(frozen=True, slots=True)
class ThreadLine:
    mine: bool
    who_key: str  # readers appear as 'organisation and role', never as names
    organization: str
    text: str
    at: datetime
    opened: bool = False  # of one's own: the other side has opened it; by whom and when is nobody's business


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """Who opened something sealed of this matter, by day: organisation and role, never a name.

    `organization` is '' for the desk and the stewards; `role_key` is 'who.desk' for both.
    """

    organization: str
    role_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MoveLine:
    """A matter on its way to another phone. `check`: four digits to be read out to the desk, '' elsewhere.

    `due_at` None: it waits for the desk.
    """

    check: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class MatterView:
    """Page 'matter': one referral as its person, its partner or the desk sees it."""

    id: str
    code: str
    category_key: str
    urgency_key: str
    stage_key: str
    area: str
    next_by: datetime | None
    next_key: str  # what happens next, in words
    story: str | None  # None: this reader holds no key for it, or has yet to prove the device (`locked`)
    contact: str | None
    organization: str  # who helps, '' while nobody has accepted
    thread: tuple[ThreadLine, ...]
    can_write: bool
    steps: tuple[Step, ...]
    consent_text: str = ""  # the person's own receipt
    emergency_lines: tuple[str, ...] = ()  # the person's own view of something that cannot wait
    readers: tuple[ReaderLine, ...] = ()  # 'who has read my record', newest first; the person's own view
    tracking_code: str = ""  # shown this once, after the step 'follow'
    move: MoveLine | None = None  # it is about to move to another phone
    locked: bool = False  # reading asks for the PIN first: story, contact and thread are withheld until then
    member: str = ""  # filed for a member: their case code, for the mentor alone
    read_out: str = ""  # the desk asks whether a yes by word is true: the words that were read out
    wait_minutes: int = 0  # this reader has opened much today: the same is withheld for so long
    sections: tuple[Section, ...] = ()  # appointments, tasks, questions …: `pages/matter_parts.py`


@dataclass(frozen=True, slots=True)
class MatterLine:
    id: str
    code: str
    category_key: str
    stage_key: str
    next_by: datetime | None
    open: bool
    member: str = ""  # filed for a member: their case code, for the mentor alone
    page: str = ""  # where it is opened, if not on 'matter/<id>'
    urgency_key: str = ""  # only where it is not the usual
    since: datetime | None = None  # it has waited in this stage since then
    who_key: str = ""  # who has it: 'part.who.<you|colleague>'
    next_key: str = ""  # what is promised by `next_by`: 'part.next.<what>'


@dataclass(frozen=True, slots=True)
class PostLine:
    """A post: who fills it is not said. `steps` of the page 'posts' take `{"seat": id}`."""

    id: str
    role_key: str
    organization: str
    filled: bool
    on_duty: bool
    reachable: bool  # False: hidden, lost or blocked, which is nobody's business
    lost: bool
    since: datetime | None
    invited: str  # '' | 'open' (the link was not used yet) | 'asked' (somebody asks: compare `check`)
    invited_until: datetime | None
    check: str  # the four digits that the one who asks sees too
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one instant to another."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A message that Telegram refused for good. `steps` of the page 'posts' take `{"notice": id}`."""

    id: str
    words: str  # as it would have stood in the chat
    post: str  # whose it was; '' for somebody without one
    why_key: str
    at: datetime
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class PostsView:
    """Page 'posts': every post of the network, for stewards and (to look, and for a lost phone) coordinators.

    `invitation` is the start payload of a link that was just made, this once: `https://t.me/<bot>?start=…`
    with the bot's name from the session. `desk_first`: strangers' requests are looked at before they leave.
    """

    posts: tuple[PostLine, ...]
    desk_first: bool
    waiting: int  # requests that wait for the desk's first look
    steps: tuple[Step, ...]
    invitation: str = ""
    invited_to: str = ""
    uncovered: tuple[Stretch, ...] = ()  # when nobody is on call in the next seven days; for stewards
    refused: tuple[RefusedLine, ...] = ()  # the oldest few of `refused_count`
    refused_count: int = 0
    sections: tuple[Section, ...] = ()  # what nobody has confirmed


@dataclass(frozen=True, slots=True)
class RemindersView:
    """Somebody's own wishes. Clock times are 'HH:MM' or ''; `days` from 0 (Monday), never empty."""

    on: bool
    quiet_from: str
    quiet_to: str
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MeView:
    """Page 'me' (the permanent menu button): own matters, settings, hide; a post's queue."""

    roles: tuple[str, ...]
    mine: tuple[MatterLine, ...]
    queue: tuple[MatterLine, ...]
    language: str
    languages: tuple[Choice, ...]
    window: str
    windows: tuple[Choice, ...]
    timezone: str
    steps: tuple[Step, ...]
    tied: bool = False  # this phone is connected to a programme: page 'link'
    reminders: RemindersView | None = None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A phone of the reader's. `id` equals `reading.device` on the very phone that shows it."""

    id: str
    state_key: str  # 'page.devices.<known|waiting|asked|active>'
    since: datetime
    seen: datetime  # exact to a day
    active_from: datetime | None  # 'waiting': until then it can be stopped
    steps: tuple[Step, ...]  # take `{"device": id}`


@dataclass(frozen=True, slots=True)
class AskingLine:
    """A phone that asks to be let in: of which post, or of a family; never whose."""

    id: str
    who_key: str  # 'role.<role>' | 'page.devices.a_family'
    organization: str
    check: str  # the number that the asking page shows: to be compared by voice
    since: datetime
    one_yes: bool  # one of the two who must say yes has done so
    steps: tuple[Step, ...]  # take `{"device": id}`


@dataclass(frozen=True, slots=True)
class DevicesView:
    """Page 'devices': own phones, and those that this reader may let in."""

    own: tuple[DeviceLine, ...]
    asking: tuple[AskingLine, ...]


@dataclass(frozen=True, slots=True)
class ReadingView:
    """How far reading is open on the device that asks; stands beside every view (docs/secure-pages.md).

    `state`: open | pin | enrol | recover | wait | ask. `device` is the id of the device that asks.
    """

    state: str
    device: str
    until: datetime | None = None
    at: datetime | None = None
    check: str = ""  # in state 'ask': to be read out to whoever lets the device in


@dataclass(frozen=True, slots=True)
class TrackView:
    """Page 'track': what a code shows on another phone, and the way to move the matter there.

    `said_key`: what the last step came to, '' before any. `stage_key` '': the code shows nothing. The page
    keeps the typed code in memory and sends it with every step.
    """

    said_key: str
    stage_key: str
    next_by: datetime | None
    moves: tuple[MoveLine, ...]  # what this person waits for on this phone
    steps: tuple[Step, ...]  # needs: 'code', 'code_pin'


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One kind of thing that is held about the reader: what, how many, until when, and why."""

    what_key: str
    count: int
    until: datetime | None  # None: as long as `why_key` says
    why_key: str


@dataclass(frozen=True, slots=True)
class MyDataView:
    """Page 'mydata': what is held, how to take it home, how to have it destroyed.

    `passphrase` and `download` (an address below this origin) are shown this once, until `download_until`.
    `posts`: to be handed back before anything is deleted. `delete_at`: deletion waits, and can be stopped.
    """

    held: tuple[HeldLine, ...]
    stays: tuple[str, ...]  # text keys: what deletion leaves, and why
    posts: tuple[str, ...]  # text keys of roles
    steps: tuple[Step, ...]
    locked: bool
    delete_at: datetime | None = None
    passphrase: str = ""
    download: str = ""
    download_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class GoneView:
    """After deletion: the last thing that the page shows."""

    said_key: str
    stays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WitnessView:
    """Page 'witness': a signed checkpoint to put away. `mark`: four words to compare by phone."""

    number: int
    at: datetime
    note: str
    mark: tuple[str, ...]
    what_key: str
    kept: bool
    steps: tuple[Step, ...]
