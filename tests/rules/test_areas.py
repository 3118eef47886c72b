"""Areas that were split or joined: whoever names the old id is understood by the new tree."""

from __future__ import annotations

from dataclasses import replace

from referrals.directory import Area, Directory
from referrals.routing import make_plan, still_fits
from tests.support.networks import DAY, directory, need, organization, service


def _known(*areas: Area, service_areas: tuple[str, ...]) -> Directory:
    known = directory([organization()], [service(areas=service_areas)])
    return replace(known, areas={each.id: each for each in areas})


LAND = Area("land", None, {"en": "land"})
SPLIT = (
    LAND,
    Area("east", "land", {"en": "east"}, formerly=("town",)),
    Area("west", "land", {"en": "west"}, formerly=("town",)),
)
JOINED = (LAND, Area("city", "land", {"en": "city"}, formerly=("town", "bay")))


def test_a_service_that_names_the_old_id_covers_all_that_it_is_now() -> None:
    known = _known(*SPLIT, service_areas=("town",))
    for place in ("town", "east", "west"):
        assert make_plan(need(area=place), known, {}, DAY).service_ids == ("bua-visits",), place
        assert still_fits(need(area=place), "bua-visits", known) is None


def test_a_matter_from_the_old_area_finds_whoever_covers_any_of_it_or_more() -> None:
    for areas in (("east",), ("west",), ("land",)):
        known = _known(*SPLIT, service_areas=areas)
        assert make_plan(need(area="town"), known, {}, DAY).service_ids == ("bua-visits",), areas
    assert not make_plan(need(area="west"), _known(*SPLIT, service_areas=("east",)), {}, DAY).lines


def test_areas_that_were_joined() -> None:
    known = _known(*JOINED, service_areas=("bay",))
    assert known.now_called("town") == ("city",)
    assert make_plan(need(area="city"), known, {}, DAY).service_ids == ("bua-visits",)
    assert make_plan(need(area="town"), known, {}, DAY).service_ids == ("bua-visits",)


def test_an_id_that_was_never_there_leads_nowhere() -> None:
    known = _known(*SPLIT, service_areas=("atlantis",))
    assert known.now_called("atlantis") == ("atlantis",)
    assert not make_plan(need(area="atlantis"), known, {}, DAY).lines


def test_a_reason_names_an_area_of_today() -> None:
    line = make_plan(need(area="town"), _known(*SPLIT, service_areas=("town",)), {}, DAY).lines[0]
    named = dict(line.reasons[0].params)["area"]
    assert named in ("east", "west")
