"""Forms: one question after the other, Back, 'Step 2 of 5', and what an answer may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.catalogue import Form, Question, QuestionKind
from referrals.errors import BadAnswer, TooLong
from referrals.forms import accept, back, choices_of, long, longest, next_question, short, steps, whole
from referrals.model import DataClass
from tests.support.networks import CATALOGUE
from tests.support.store import the_catalogue

LANGUAGE = Question("language", QuestionKind.LANGUAGE, skip_if_known=True)
PRIVACY = Question("privacy", QuestionKind.CONFIRM)
AGE = Question("age_group", QuestionKind.CHOICE, choices=("young", "adult"))
AREA = Question("area", QuestionKind.AREA, "page")
NOTE = Question("story", QuestionKind.TEXT, "page", (), DataClass.STORY, required=False, max_length=10)
WISHES = Question("exclusions", QuestionKind.EXCLUSIONS, "page", required=False)
FORM = Form("help", 1, (LANGUAGE, PRIVACY, AGE, AREA, NOTE))
CHAT_ONLY = Form("short", 1, (PRIVACY, AGE))


def test_a_talk_from_its_first_question_to_the_page() -> None:
    answers: dict[str, str] = {}
    shown = []
    for value in ("th", "yes", "adult"):
        question = next_question(FORM, answers)
        assert question is not None
        shown.append((question.id, steps(FORM, answers)))
        answers[question.id] = accept(question, value, choices_of(question, CATALOGUE))
    assert shown == [("language", (1, 4)), ("privacy", (2, 4)), ("age_group", (3, 4))]
    assert next_question(FORM, answers) == AREA
    assert steps(FORM, answers) == (4, 4)


def test_what_is_known_is_not_asked() -> None:
    known = {"language": "th", "privacy": "yes"}  # privacy is asked every time: it cannot be skipped
    assert next_question(FORM, {}, known) == PRIVACY
    assert steps(FORM, {}, known) == (1, 3)
    assert next_question(FORM, {}, {"language": ""}) == LANGUAGE


def test_an_answer_that_becomes_known_meanwhile_keeps_its_step() -> None:
    assert steps(FORM, {"language": "th"}, {"language": "th"}) == (2, 4)


def test_the_ends_of_a_form() -> None:
    done = {"privacy": "yes", "age_group": "adult"}
    assert next_question(CHAT_ONLY, done) is None
    assert steps(CHAT_ONLY, done) == (2, 2)
    assert steps(Form("empty", 1, ()), {}) == (0, 0)


def test_an_optional_question_that_was_left_out_is_not_asked_again() -> None:
    answers = {"language": "th", "privacy": "yes", "age_group": "adult", "area": "town", "story": ""}
    assert next_question(FORM, answers) is None


def test_back_takes_the_last_answer_in_the_order_of_the_form() -> None:
    answers = {"privacy": "yes", "language": "th", "_draft": "7"}
    once = back(FORM, answers)
    assert once == {"language": "th", "_draft": "7"}
    assert back(FORM, back(FORM, once)) == {"_draft": "7"}


def test_choices_come_from_the_catalogue_the_pathway_or_the_question() -> None:
    assert choices_of(LANGUAGE, CATALOGUE) == ("en", "th")
    assert choices_of(Question("c", QuestionKind.CATEGORY), CATALOGUE, ("visits",)) == ("visits",)
    assert choices_of(AGE, CATALOGUE) == ("young", "adult")
    assert choices_of(PRIVACY, CATALOGUE) == ("yes",)
    assert choices_of(AREA, CATALOGUE) == ()


@pytest.mark.parametrize(
    ("question", "value", "choices", "kept"),
    [
        (AGE, " adult ", AGE.choices, "adult"),
        (AREA, "town", ("town", "bay"), "town"),
        (NOTE, "  ไปเยี่ยม ", (), "ไปเยี่ยม"),
        (NOTE, "a" * 10, (), "a" * 10),
        (NOTE, "", (), ""),
        (WISHES, "b, a,b", ("a", "b", "c"), "a,b"),
        (WISHES, "", ("a",), ""),
    ],
)
def test_answers_that_fit(question: Question, value: str, choices: tuple[str, ...], kept: str) -> None:
    assert accept(question, value, choices) == kept


@pytest.mark.parametrize(
    ("question", "value", "choices"),
    [
        (AGE, "", AGE.choices),
        (AGE, "   ", AGE.choices),
        (AGE, "adult,young", AGE.choices),
        (AGE, "Adult", AGE.choices),
        (PRIVACY, "no", ("yes",)),
        (AREA, "elsewhere", ("town",)),
        (WISHES, "a,x", ("a",)),
        (WISHES, "a,", ("a",)),
    ],
)
def test_answers_that_do_not_fit(question: Question, value: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(BadAnswer):
        accept(question, value, choices)


def test_a_long_text_is_told_its_limit() -> None:
    with pytest.raises(TooLong) as refused:
        accept(NOTE, "a" * 11)
    assert refused.value.params == {"limit": 10, "length": 11}


@given(st.lists(st.sampled_from(["answer", "back"]), max_size=30), st.booleans())
def test_whatever_one_presses_the_steps_never_lie(presses: list[str], knows: bool) -> None:
    known = {"language": "th"} if knows else {}
    answers: dict[str, str] = {}
    for press in presses:
        question = next_question(FORM, answers, known)
        if press == "back":
            answers = back(FORM, answers)
        elif question is not None:
            answers[question.id] = "x"
        step, total = steps(FORM, answers, known)
        assert 1 <= step <= total
        open_question = next_question(FORM, answers, known)
        if open_question is not None and open_question.where == "chat":
            asked = [q for q in FORM.questions if q.id in answers and q.where == "chat"]
            assert step == len(asked) + 1


# -- branches, needs, and answers that travel in a button --------------------------------------------

CHECK_IN = Form(
    "check-in",
    1,
    (
        Question("means", QuestionKind.CHOICE, choices=("call", "not_reached")),
        Question("state", QuestionKind.CHOICE, choices=("well", "hard"), when={"means": ("call",)}),
        Question(
            "needs",
            QuestionKind.NEEDS,
            choices=("a", "b", "c", "d", "e", "f"),
            required=False,
            when={"state": ("hard",)},
        ),
    ),
)

OWN_FORMS = [CHECK_IN, *(f for f in the_catalogue().forms.values() if f.questions[0].where == "chat")]


def test_a_branch_is_asked_only_where_its_answer_was_given() -> None:
    state = next_question(CHECK_IN, {"means": "call"})
    assert state is not None
    assert state.id == "state"
    assert next_question(CHECK_IN, {"means": "not_reached"}) is None, "nor what hangs on what was not asked"
    assert next_question(CHECK_IN, {"means": "call", "state": "well"}) is None


def test_several_needs_are_one_answer_kept_in_order() -> None:
    needs = CHECK_IN.questions[2]
    assert accept(needs, "c,a", needs.choices) == "a,c"
    assert accept(needs, "", needs.choices) == ""
    with pytest.raises(BadAnswer):
        accept(needs, "a,z", needs.choices)


def test_a_whole_form_and_nothing_but_it() -> None:
    assert whole(CHECK_IN, {"means": "not_reached"}) == {"means": "not_reached"}
    assert whole(CHECK_IN, {"state": "hard", "means": "call"}) == {
        "means": "call",
        "state": "hard",
        "needs": "",
    }
    for broken in (
        {"means": "call"},
        {"means": "not_reached", "state": "well"},
        {"means": "call", "state": "well", "needs": "a"},
        {"means": "other"},
        {},
    ):
        with pytest.raises(BadAnswer):
            whole(CHECK_IN, broken)


@st.composite
def half_answered(draw: st.DrawFn) -> tuple[Form, dict[str, str]]:
    form = draw(st.sampled_from(OWN_FORMS))
    answers: dict[str, str] = {}
    for _ in range(draw(st.integers(0, len(form.questions)))):
        question = next_question(form, answers)
        if question is None:
            break
        several = question.kind is QuestionKind.NEEDS
        chosen = draw(st.sets(st.sampled_from(question.choices))) if several else None
        one = "" if chosen is not None else draw(st.sampled_from(question.choices))
        answers[question.id] = ",".join(sorted(chosen)) if chosen is not None else one
    return form, answers


@given(half_answered())
def test_what_travels_in_a_button_comes_back_as_it_was(drawn: tuple[Form, dict[str, str]]) -> None:
    form, answers = drawn
    signs = short(form, answers)
    assert long(form, signs) == answers
    assert len(signs) <= longest(form)
    data = f"1:check.save:{'x' * 16}:{form.version}:{signs}:l"
    assert len(data) <= 64


@given(
    st.sampled_from(OWN_FORMS),
    st.text(max_size=12) | st.from_regex(r"[0-9a-z-]{1,9}"),
)
def test_whatever_a_forged_button_says_is_a_form_or_refused(form: Form, signs: str) -> None:
    try:
        answers = long(form, signs)
    except BadAnswer:
        return
    for question_id, answer in answers.items():
        question = next(q for q in form.questions if q.id == question_id)
        assert accept(question, answer, question.choices) == answer
