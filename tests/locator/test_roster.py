"""Class lists as spreadsheets write them, and as people spoil them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locator import limits
from locator.roster import NoRosterError, read_roster

LIST = "id,name,password\nana,Ana 安娜,one\nbo,Bo,two\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_list_is_read_whatever_the_spreadsheet_wrote(encoding, separator, line_end):
    content = LIST.replace(",", separator).replace("\n", line_end).encode(encoding)
    good, bad = read_roster(content)
    assert [(row.line, row.user, row.name, row.password) for row in good] == [
        (2, "ana", "Ana 安娜", "one"),
        (3, "bo", "Bo", "two"),
    ]
    assert bad == []


@pytest.mark.parametrize("heads", ["ID;Name;Password", "学号;姓名;密码", " Id ; NAME ; password "])
def test_columns_have_their_usual_names(heads):
    (row,), _ = read_roster(f"{heads}\nana;Ana;one\n".encode())
    assert (row.user, row.name, row.password) == ("ana", "Ana", "one")


def test_columns_may_stand_in_any_order_and_beside_others():
    (row,), _ = read_roster(b"class,password,id\n3,one,ana\n")
    assert (row.user, row.name, row.password) == ("ana", "ana", "one")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Ana,one", "it has no ID"),
        ("no id!,Ana,one", "'no id!' is no ID"),
        ("ana,\u202e,one", "the name of ana cannot be used"),
        ("ana," + "x" * 10_000 + ",one", "the name of ana cannot be used"),
        ("ana,Ana,", "ana has no password"),
        ("ana", "ana has no password"),
        ("x" * 100_000 + ",Ana,one", "is no ID"),
        ("x" * 200_000 + ",Ana,one", "is no ID"),
        ('"ana,Ana,one', "is no ID"),
        ('ana,"Ana,one', "ana has no password"),
        ("a\x00na,Ana,one", "is no ID"),
        ("ana,Ana," + "x" * 1025, "the password of ana has more than 1024 characters"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(row, reason):
    good, bad = read_roster(f"id,name,password\nbo,Bo,two\n{row}\ncy,Cy,three\n".encode())
    assert [each.user for each in good] == ["bo", "cy"]
    assert [each.line for each in bad] == [3]
    assert reason in bad[0].reason
    assert len(bad[0].reason) < 250


def test_of_two_rows_with_one_id_the_first_counts():
    good, bad = read_roster(b"id,password\nana,one\nANA,two\n")
    assert [row.password for row in good] == ["one"]
    assert [(row.line, row.reason) for row in bad] == [(3, "ana stands in line 2 already")]


def test_a_cell_may_hold_line_ends_and_rows_are_named_by_the_line_they_begin_in():
    good, bad = read_roster(b'id,name,password\nana,"An\r\na",one\nno id,x,y\r\nbo,"B ""o""",two')
    assert [(row.line, row.name) for row in good] == [(2, "Ana"), (5, 'B "o"')]
    assert [row.line for row in bad] == [4]


def test_many_quotation_marks_without_end_cost_no_more_than_their_lines():
    good, bad = read_roster(b"id,password\n" + b'"never,ends\n' * 20_000 + b"ana,one\n")
    assert [row.user for row in good] == ["ana"]
    assert len(bad) == 20_000


def test_empty_rows_are_no_rows():
    good, bad = read_roster(b"id,password\n\n,,\n  \nana,one\n\n")
    assert [row.line for row in good] == [5]
    assert bad == []


def test_one_password_may_do_for_all_who_have_none():
    good, _ = read_roster(b"id,password\nana,\nbo,two\n", "all")
    assert [row.password for row in good] == ["all", "two"]


@pytest.mark.parametrize(
    "content",
    [b"", b"name\nAna\n", b"\xff\xfe", b"\x00" * 100, b"id,password\n" + b'"' * 5 + b"\x80\xff"],
)
def test_what_is_no_list_is_refused_in_a_sentence(content):
    with pytest.raises(NoRosterError):
        read_roster(content)


def test_a_list_beyond_all_measure_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "ROSTER_ROWS", 3)
    with pytest.raises(NoRosterError, match="more than 3 rows"):
        read_roster(b"id,password\n" + b"".join(b"a%d,x\n" % n for n in range(5)))
    monkeypatch.setattr(limits, "ROSTER_BYTES", 10)
    with pytest.raises(NoRosterError, match="larger than"):
        read_roster(LIST.encode())


@given(st.binary(max_size=400))
def test_garbage_is_rows_or_one_sentence(content):
    try:
        good, bad = read_roster(b"id,password\n" + content)
    except NoRosterError:
        return
    assert len({row.user for row in good}) == len(good)
    assert all(row.reason for row in bad)
