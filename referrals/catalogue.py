"""What a programme may change is data: pathways, categories, programmes, languages. Parsed, checked, frozen.

The files are read by `storage/catalogue_files.py` and parsed by `catalogue_parsing.py`, which raises
ConfigurationError naming file and key, so that a mistake is found at start and not in somebody's chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from referrals.directory import OrganizationKind
from referrals.model import DataClass, Role, Stage, Urgency

ON_PAGE = "on_page"  # a need ticked in a chat: what it is, is chosen on the secure page


class QuestionKind(StrEnum):
    LANGUAGE = "language"  # choices are the catalogue's languages
    CONFIRM = "confirm"  # one button
    CHOICE = "choice"  # one of `choices`
    CATEGORY = "category"  # one of the pathway's categories
    AREA = "area"  # secure page only
    NEEDS = "needs"  # several of the catalogue's categories: each becomes a referral
    EXCLUSIONS = "exclusions"  # secure page only: organisations and kinds
    TEXT = "text"  # secure page only: sealed free text
    CONSENT = "consent"  # secure page only: the plan and the yes


@dataclass(frozen=True, slots=True)
class Question:
    """One step of a form. Text keys: 'form.<id>' and 'form.<id>.<choice>'; of a form of its own (a file in
    `forms/`) 'form.<form>.<id>' and '<id>.<choice>', for needs 'category.<choice>'.

    `where` is 'chat' or 'page'; only `routing` answers may be given in the chat.
    `skip_if_known`: not asked when the person's own settings already hold the answer.
    `when`: asked only where an earlier question was answered by one of these; all of them must hold.
    `saves`: the answer is the last tap: what was answered is kept at once.
    """

    id: str
    kind: QuestionKind
    where: str = "chat"
    choices: tuple[str, ...] = ()
    data_class: DataClass = DataClass.ROUTING
    required: bool = True
    max_length: int = 4000
    skip_if_known: bool = False
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    saves: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    id: str
    version: int
    questions: tuple[Question, ...]
    expires_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Span:
    """A deadline's length: hours, or working days of the partner. Exactly one is not zero."""

    hours: float = 0
    working_days: int = 0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By urgency (domain.md). `first_contact` and `unmatched` are elapsed time."""

    acknowledge: Span
    decide: Span
    first_contact: Span
    unmatched: Span


class Handling(StrEnum):
    """What happens to a matter after the yes."""

    OFFER = "offer"  # one partner after the other is asked
    TASKS = "tasks"  # several partners, one task each
    CIRCLE = "circle"  # two sides and a facilitator
    CONFIRMATION = "confirmation"  # nobody is asked: something is sent


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One task of a pathway with several. Text key 'task.<id>'.

    `by`: partner | family | mentor | desk | both: the partners of the two tasks in `between`, who speak with
    each other and both say so (a warm handover). `days` from the plan's day, before it where negative.
    `after`: tasks that come first. `not_by`: tasks whose organisation may not do this one too (an evaluator
    is never the provider).
    """

    id: str
    by: str
    category: str = ""  # of a partner's task
    receivers: tuple[OrganizationKind, ...] = ()  # of a partner's task; empty: the pathway's
    days: int = 0
    after: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    required: bool = True
    between: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coded:
    """A question with coded answers, answered with one tap and blind: it names nobody.

    Text keys 'ask.<id>' and 'ask.<id>.<choice>'.
    """

    id: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pathway:
    id: str
    version: int
    may_file: tuple[Role, ...]
    receivers: tuple[OrganizationKind, ...]
    categories: tuple[str, ...]
    form: Form
    classes: Mapping[Stage, tuple[DataClass, ...]]  # which classes travel from which stage on
    deadlines: Mapping[Urgency, Deadlines]
    decline_reasons: tuple[str, ...]
    unmet_reasons: tuple[str, ...]
    max_hops: int
    consent_days: int
    retention_days: int  # after it ended
    in_chat: bool = True  # may its name and categories be shown and pressed in the chat?
    courses: bool = False  # may a mentor begin a programme's course from a matter of it?
    asked_percent: int = 10  # of the yeses by word: the desk asks so many people whether they are true
    handling: Handling = Handling.OFFER
    desk_sees: bool = True  # False: no coordinator opens it or is told of it (complaint)
    tells_desk: bool = False  # the coordinator on call hears of every one at once (safety-concern)
    vetted_days: int = 0  # its partners' services must have been vetted so lately; 0: no matter
    audience: str = ""  # family, member or harmed: only services for them; '': everybody
    tasks: tuple[TaskKind, ...] = ()
    questions: tuple[Coded, ...] = ()  # what a partner may ask before it decides
    closing: tuple[Coded, ...] = ()  # what the person is asked after 'did somebody help?'
    purposes: tuple[str, ...] = ()  # an agreement must share for one of these; none named: for any
    behalf: tuple[str, ...] = ()  # why it may be filed for somebody who cannot decide: 'behalf.<id>'
    needs_classes: tuple[DataClass, ...] = ()  # an agreement must name all of them: a designated contact
    urgent: tuple[str, ...] = ()  # categories that are urgent at least, and whose clock runs round the clock

    @property
    def needs(self) -> tuple[str, ...]:
        """What can be asked for: of a pathway with parts, sides or papers the first category alone."""
        return self.categories if self.handling is Handling.OFFER else self.categories[:1]

    @property
    def words(self) -> DataClass:
        """The class of all that is written along it: of a threat, the thread is `safety` as the story is."""
        return next((q.data_class for q in self.form.questions if q.id == "story"), DataClass.STORY)

    @property
    def kinds(self) -> tuple[OrganizationKind, ...]:
        """Every kind of organisation that may receive it, or one of its parts."""
        named = (*self.receivers, *(kind for task in self.tasks for kind in task.receivers))
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Onward:
    """How a phase ends by itself: so many days after it began, or when all these milestones are reached.

    A mentor's word moves it at any time, to any phase.
    """

    to: str
    after_days: int = 0
    milestones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """`every`: the rhythm of contact, an RRULE without DTSTART; `at`: the local time of its reminder."""

    id: str
    every: str
    at: time
    form: str = "check-in"
    own_form: str = ""  # what members are asked on their own phones, where one is tied to their code
    milestones: tuple[str, ...] = ()
    onward: Onward | None = None


@dataclass(frozen=True, slots=True)
class ClubMeeting:
    """A meeting that comes again; who came is written down after it.

    `course`: it is a class of that course, for whoever is in it; '' is for everybody of the programme.
    """

    id: str
    every: str
    at: time
    course: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """`within_days` of the one before, or somebody asks how it is going."""

    id: str
    within_days: int


class CourseKind(StrEnum):
    COURSE = "course"
    GRANT = "grant"  # a start-up grant, followed to its use


@dataclass(frozen=True, slots=True)
class Course:
    """A vocational course, or a grant. `places`: how many at the same time; 0: no limit."""

    id: str
    kind: CourseKind
    milestones: tuple[Milestone, ...]
    places: int = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """`audience`: members (a mentor checks in) or families (they are asked on their own phone)."""

    id: str
    version: int
    phases: tuple[Phase, ...]
    audience: Role = Role.MEMBER
    holidays: str = ""  # a file of holidays/, on whose days nobody is reminded
    meetings: tuple[ClubMeeting, ...] = ()
    courses: tuple[Course, ...] = ()

    def phase(self, phase_id: str) -> Phase:
        """The phase of that id; KeyError when the programme has none."""
        for phase in self.phases:
            if phase.id == phase_id:
                return phase
        raise KeyError(phase_id)


@dataclass(frozen=True, slots=True)
class Language:
    """`name` is what its own speakers call it; it stands on the language buttons.

    `years_added`: how far its era is ahead of the common one (Thai: 543), for dates in words.
    """

    id: str
    name: str
    right_to_left: bool = False
    years_added: int = 0


@dataclass(frozen=True)
class Catalogue:
    """Everything that a programme may change, as one frozen value."""

    languages: Mapping[str, Language] = field(default_factory=dict)
    pathways: Mapping[str, Pathway] = field(default_factory=dict)
    programmes: Mapping[str, Programme] = field(default_factory=dict)  # the newest version of each
    kept: Mapping[tuple[str, int], Programme] = field(default_factory=dict)  # older ones that people are in
    programme_sources: Mapping[str, str] = field(default_factory=dict)  # the files' exact texts
    holidays: Mapping[str, frozenset[date]] = field(default_factory=dict)
    holidays_until: Mapping[str, date] = field(default_factory=dict)  # up to which day a file knows them
    categories: tuple[str, ...] = ()
    private: frozenset[str] = frozenset()  # categories that are chosen and shown on a secure page only
    forms: Mapping[str, Form] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language id -> text key -> words

    def programme(self, programme_id: str, version: int) -> Programme:
        """The programme as it stood in that version; KeyError when neither files nor database have it."""
        newest = self.programmes.get(programme_id)
        if newest is not None and newest.version == version:
            return newest
        return self.kept[programme_id, version]

    def in_chat(self, category: str) -> str:
        """The text key by which a chat may name a need: of a private one only that there is one."""
        return "category.on_page" if category in self.private else f"category.{category}"

    def words(self, key: str, language: str, /, **params: str) -> str:
        """The words of a text key, for what is stored or shown outside the chat (consent, names of reasons).

        Falls back to English and then to the key itself; a missing placeholder stays as it is written.
        """
        words = self.texts.get(language, {}).get(key) or self.texts.get("en", {}).get(key) or key
        for name, value in params.items():
            words = words.replace("{" + name + "}", value)
        return words
