"""Page content for tests: a yes by word, and the code that takes it back. Nobody real."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from referrals.member_views import WordsView, WordView
from referrals.views import Choice, FiledView, PlanView, Step
from tests.console.stand import FixedPage

Body = Mapping[str, object]
CODE = "lusab-babad-gutih-tugad"


def word_samples(plan_of: Callable[[Any, str, str, Body], PlanView]) -> Mapping[str, FixedPage]:
    """Pages 'words' and 'word' around somebody's plan."""

    def words_view(tx: Any, who: str, subject: str, body: Body) -> WordsView:
        """By its subject: nothing chosen yet, a yes that was given, or what is to be read out."""
        if subject == "new":
            needs = ("member.health", "member.legal", "member.housing", "work.job")
            return WordsView("K7-29", to_choose=tuple(Choice(n, label_key=f"category.{n}") for n in needs))
        plan = plan_of(tx, who, subject, body)
        if subject == "given":
            step = Step("code", "page.step.another_code", needs="yes")
            text = plan_of(tx, who, subject, {"area": "mueang"}).consent_text
            return WordsView("K7-29", stage_key="stage.matching", consent_text=text, steps=(step,))
        speaks, age = body.get("language") or "th", body.get("age") or "adult"
        shown = replace(plan, category_key="category.member.housing")
        return WordsView(
            "K7-29",
            plan=shown,
            languages=tuple(
                Choice(la.id, label=la.name, chosen=la.id == speaks) for la in tx.catalogue.languages.values()
            ),
            ages=tuple(
                Choice(a, label_key=f"form.age_group.{a}", chosen=a == age) for a in ("young", "adult")
            ),
            left_out=("House of Return",) if subject == "own" else (),
            refused_key="error.may_not_witness" if subject == "refused" else "",
        )

    def heard(tx: Any, who: str, subject: str, body: Body) -> WordsView:
        tx.taken = ("yes", dict(body))
        return replace(words_view(tx, who, "given", {}), receipt=CODE)

    def chosen(tx: Any, who: str, subject: str, body: Body) -> WordsView:
        return replace(words_view(tx, who, "ABC", {}), go_on="words/ABC")

    def no(tx: Any, who: str, subject: str, body: Body) -> FiledView:
        return FiledView("K7-29QX", "page.words.said_no", None, "", filed=False)

    def word_view(tx: Any, who: str, subject: str, body: Body) -> WordView:
        said = {CODE: "page.word.done", None: ""}.get(body.get("code"), "page.word.unknown")  # type: ignore[call-overload]
        return WordView(said, (Step("take_back", "page.step.take_back", needs="code", danger=True),))

    steps = {"preview": words_view, "yes": heard, "choose": chosen, "no": no, "code": heard}
    return {
        "words": FixedPage(words_view, steps),
        "word": FixedPage(word_view, {"take_back": word_view}),
    }
