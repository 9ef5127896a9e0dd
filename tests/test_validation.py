"""The rules for a story, and the messages to its author."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from spectator.models import NOTE_KINDS
from spectator.publishing import Action, ValidationError
from spectator.publishing.actions import validate_action
from spectator.publishing.validation import (
    body_size_problem,
    check_note,
    clean_line,
    is_http_url,
    prepare,
)
from tests.conftest import make_draft

LINK = "https://reuters.example/a"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("headline", "", "Write a headline."),
        ("headline", "\u200b \n", "Write a headline."),
        ("body", "", "Write the story."),
        ("body", "<p> </p>", "Write the story."),
        ("section", "", "Choose a section."),
        ("language", "Arabic", "“Arabic” is not a language tag. Use “ar”."),
        ("slug", "Not A Slug", "Use lowercase letters, numbers and hyphens."),
        ("slug", "x" * 101, "The web address (URL) has 101 characters. Use at most 100."),
        ("topics", tuple(map(str, range(31))), "Enter at most 30 names."),
        (
            "authors",
            ("x" * 121,),
            "One name is longer than 120 characters. Separate names with commas.",
        ),
        (
            "countries",
            ("Mali", "Atlantis"),
            "“Atlantis” is not a country in our list. Use its English name or two-letter code.",
        ),
        ("body", "ü" * 500_001, "The text is over 1,000 kB. Split the story in two."),
    ],
)
def test_a_wrong_field_gets_a_message(field: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        prepare(make_draft(**{field: value}))
    assert refused.value.errors == {field: message}
    assert str(refused.value) == f"{field}: {message}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headline", "\u0958" * 300),
        ("kicker", "\u0958" * 60),
        ("source_name", "\u0958" * 200),
        ("topics", ("\u0958" * 120,)),
        ("authors", ("\u0958" * 120,)),
    ],
)
def test_a_field_that_is_too_long_only_in_nfc_is_refused(field: str, value: object) -> None:
    """NFC writes this letter with two characters."""
    with pytest.raises(ValidationError) as refused:
        prepare(make_draft(**{field: value}))
    assert list(refused.value.errors) == [field]


def test_a_source_link_needs_a_name_and_a_picture_a_description() -> None:
    draft = make_draft(source_name="", source_url=LINK, picture_id=7, picture_alt=" ")
    with pytest.raises(ValidationError) as refused:
        prepare(draft)
    assert refused.value.errors == {
        "source_name": "Name the source that you link to.",
        "picture_alt": "Describe the picture for readers who cannot see it.",
    }
    assert str(refused.value).count("; ") == 1


def test_a_link_that_is_no_address_gets_a_message() -> None:
    with pytest.raises(ValidationError) as refused:
        prepare(make_draft(source_name="Reuters", source_url="reuters.example"))
    message = "Enter a full web address that starts with https:// or http://."
    assert refused.value.errors == {"source_url": message}


@pytest.mark.parametrize(
    ("address", "is_plain"),
    [
        (LINK, True),
        ("http://reuters.example:8080/a?b=c&d=é#e", True),
        ("https://reuters.example:99999/", False),
        ("https://reuters.example:http/", False),
        ("https://[::1", False),
        ("https://", False),
        ("https:///path", False),
        ("ftp://reuters.example/", False),
        ("//reuters.example/", False),
        ("https://editor@reuters.example/", False),
        ("https://reuters.example/a b", False),
        ("https://reuters.example/<b>", False),
        ("https://reuters.example/'b'", False),
        ("https://reuters.example\\@evil.example/", False),
    ],
)
def test_a_source_link_is_a_plain_address(address: str, is_plain: bool) -> None:
    assert is_http_url(address) is is_plain


def test_a_picture_or_a_video_is_a_story() -> None:
    for body in ('<img src="/media/a.jpg" alt="">', '<iframe src="/media/a.mp4"></iframe>'):
        assert prepare(make_draft(body=body)).word_count == 0


def test_a_body_has_a_limit_of_bytes_and_of_lines_and_tags() -> None:
    assert body_size_problem("x" * 1_000_000) == ""
    assert body_size_problem("x" * 1_000_001).startswith("The text is over 1,000 kB.")
    assert body_size_problem("\n" * 50_000 + "<" * 50_000) == ""
    assert (
        body_size_problem("\n" * 50_001 + "<" * 50_000)
        == "The text has over 100,000 lines and tags. Split the story in two."
    )


def test_names_and_countries_are_stored_once() -> None:
    draft = make_draft(
        topics=("Budget", " Budget ", "", "Courts"),
        countries=("Mali", "ML", "Ghana"),
        language="EN",
    )
    prepared = prepare(draft)
    assert prepared.draft.topics == ("Budget", "Courts")
    assert prepared.country_codes == ("ML", "GH")
    assert prepared.draft.language == "en"
    assert prepare(prepared) is prepared


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  two   words ", "two words"),
        ("two\nlines\tand\u2028three", "two lines and three"),
        ("e\u0301te\u0301", "été"),
        ("ad\u202emin\u0000", "admin"),
        ("\ue000private\u0378", "private"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
    ],
)
def test_a_line_has_no_invisible_characters(text: str, line: str) -> None:
    assert clean_line(text) == line


@pytest.mark.parametrize("kind", NOTE_KINDS)
def test_a_note_has_a_kind_and_some_words(kind: str) -> None:
    assert check_note(kind, " The  minister\nresigned. ") == "The minister resigned."
    assert len(check_note(kind, "x" * 2000)) == 2000
    for text, message in {
        " ": f"Describe the {kind}.",
        "x" * 2001: "Use at most 2,000 characters.",
    }.items():
        with pytest.raises(ValidationError) as refused:
            check_note(kind, text)
        assert refused.value.errors == {"note": message}


def test_a_note_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        check_note("remark", "x")
    message = "Choose Update, Clarification or Correction."
    assert refused.value.errors == {"note_kind": message}


@pytest.mark.parametrize(
    ("action", "errors"),
    [
        (Action("withdraw", note=" "), {"reason": "Give a reason. Readers will see it."}),
        (Action("withdraw", note="x" * 2001), {"reason": "Use at most 2,000 characters."}),
        (Action("publish", note="x" * 2001), {"remark": "Use at most 2,000 characters."}),
        (Action("update", note="x" * 2001), {"note": "Use at most 2,000 characters."}),
        (Action("correct"), {"note": "Describe the correction."}),
        (
            Action("schedule", at=datetime(9001, 1, 1, tzinfo=UTC)),
            {"published_at": "Choose a date before the year 9000."},
        ),
    ],
)
def test_an_action_with_a_wrong_message_or_date_is_refused(
    action: Action, errors: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        validate_action(action)
    assert refused.value.errors == errors


def test_messages_are_cleaned() -> None:
    assert validate_action(Action("withdraw", note=" a \n b ")).note == "a b"
    assert validate_action(Action("save", note="\n a  b \n\n c \n")).note == "a b\n\nc"
    assert validate_action(Action("schedule", at=datetime(9000, 1, 1, tzinfo=UTC))).note == ""
    assert validate_action(Action("update", note=" ")).note == ""
