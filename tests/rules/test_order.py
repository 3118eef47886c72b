"""Names in the order in which people look them up."""

from __future__ import annotations

from referrals.service.common.names import in_order


def test_thai_names_stand_where_a_dictionary_has_them() -> None:
    places = ["ตากใบ", "รือเสาะ", "สุไหงโก-ลก", "เมืองนราธิวาส"]
    assert sorted(places, key=in_order) == ["ตากใบ", "เมืองนราธิวาส", "รือเสาะ", "สุไหงโก-ลก"]
    assert sorted(["โคกโพธิ์", "ยะหริ่ง", "เมือง", "หนองจิก"], key=in_order)[0] == "โคกโพธิ์"


def test_other_names_stay_as_they_are() -> None:
    assert sorted(["Yala", "Betong", "Raman"], key=in_order) == ["Betong", "Raman", "Yala"]
