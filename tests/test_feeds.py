"""Importing feeds: RSS, Atom and JSON Feed, damaged and hostile ones, and the source credit."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import fields, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from spectator.importers import feeds
from spectator.importers.feeds import FeedError, FeedOptions, xml_feeds
from spectator.importers.feeds.elements import FeedEntry
from spectator.importers.feeds.fields import Field
from spectator.importers.feeds.records import MAX_ID_LENGTH
from spectator.importers.records import Record, RecordError
from spectator.importers.story_values import site_of
from spectator.publishing.import_batches import MAX_ID_LENGTH as MAX_STORED_LENGTH
from tests.feed_samples import ATOM, RDF, RSS, item, rss

OPTIONS = FeedOptions(
    language="en",
    section="politics",
    sections=frozenset({"politics", "health"}),
    is_published=True,
)
DATE = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
NESTED = f"<{'n' * 150}>" * 30
LONG_ATTRIBUTE = f'q="{"x" * 50_000}"'


def read(data: bytes | str, options: FeedOptions = OPTIONS) -> list[Any]:
    return list(feeds.read(BytesIO(data.encode() if isinstance(data, str) else data), options))


def read_one(data: bytes | str, options: FeedOptions = OPTIONS) -> Record:
    [record] = read(data, options)
    assert isinstance(record, Record), record
    return record


def json_feed(*items: Any, **fields: object) -> str:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items}
    return json.dumps(feed | {"home_page_url": "https://json.example/"} | fields)


def test_an_rss_item_becomes_a_story_with_a_source_credit() -> None:
    record = read_one(rss(item()))
    draft = record.draft
    assert draft.headline == "Rain &amp; relief"  # decoded once when it is stored
    assert (draft.source_name, draft.source_url) == (
        "Sahel Wire",
        "https://wire.example/2026/rain/",
    )
    assert draft.authors == ("Ama Mensah", "Kofi Osei")
    assert (record.section, draft.topics) == ("Health", ("Weather",))
    assert (draft.language, draft.dek, draft.slug) == ("en", "", "")
    assert (record.status, record.published_at) == ("published", DATE)
    assert (record.external_id, record.feed_id) == ("feed-file:wire.example:wire-1", "wire-1")
    assert record.addresses == ()


def test_content_wins_over_the_description_and_urls_become_absolute() -> None:
    body = read_one(rss(item())).draft.body
    assert '<a href="https://wire.example/niger">Niger</a>' in body
    assert '<img src="https://wire.example/rain.jpg" alt="Rain">' in body
    assert "appeared first" not in body


def test_pictures_and_files_that_are_not_imported_are_listed_and_noted() -> None:
    record = read_one(rss(item()))
    names = ("rain.jpg", "lead.jpg", "small.jpg", "talk.mp3")
    expected = [f"Not imported: https://wire.example/{name}" for name in names]
    assert sorted(record.changes) == sorted(expected)
    for line in expected:
        assert f"<editor-note>{line}</editor-note>" in record.draft.body


def test_stories_are_drafts_without_a_date_unless_they_are_to_be_published() -> None:
    record = read_one(rss(item()), replace(OPTIONS, is_published=False))
    assert (record.status, record.published_at, record.updated_at) == ("draft", None, None)


@pytest.mark.parametrize(
    ("date", "status"),
    [("", "draft"), ("yesterday", "draft"), ("Fri, 01 Jan 2100 00:00:00 GMT", "scheduled")],
)
def test_a_story_without_a_date_is_a_draft_and_a_future_one_scheduled(
    date: str, status: str
) -> None:
    record = read_one(rss(f"<item><title>T</title><pubDate>{date}</pubDate></item>"))
    assert record.status == status
    assert ("It has no date, so it is a draft." in record.changes) == (status == "draft")


def test_a_feed_of_this_site_moves_in_with_its_addresses_and_needs_no_credit() -> None:
    own = replace(OPTIONS, site_url="https://www.wire.example", site="wire.example")
    record = read_one(rss(item()), own)
    assert (record.draft.source_name, record.draft.slug) == ("", "rain")
    assert record.addresses == ("https://wire.example/2026/rain/",)


@pytest.mark.parametrize("site", ["", "other.example", "wire.example:8080"])
def test_a_feed_that_only_claims_to_be_of_this_site_gets_a_credit(site: str) -> None:
    options = replace(OPTIONS, site_url="https://wire.example", site=site)
    record = read_one(rss(item()), options)
    assert (record.draft.source_name, record.draft.slug) == ("Sahel Wire", "")
    assert record.addresses == ()


def test_the_id_of_a_story_depends_on_where_its_feed_was_read_from() -> None:
    long_names = [f"{'long.' * 10}{name}.example" for name in "ab"]
    sites = ["", "wire.example", "other.example", "wire.example:8080", "[::1]:80", *long_names]
    records = [read_one(rss(item()), replace(OPTIONS, site=site)) for site in sites]
    ids = [record.external_id or "" for record in records]
    assert ids[1:4] == [
        "feed:wire.example:wire-1",
        "feed:other.example:wire-1",
        "feed:wire.example/8080:wire-1",
    ]
    assert len(set(ids)) == len(sites)
    longest = item().replace("wire-1", "g" * MAX_ID_LENGTH)
    link = f"https://{'a' * 39}/"
    feed = rss(longest).decode().replace("https://www.wire.example/<", f"{link}<")
    assert len(read_one(feed).external_id or "") == MAX_STORED_LENGTH


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.Wire.example/feed", "wire.example"),
        ("https://wire.example:443/", "wire.example"),
        ("http://wire.example:8080/", "wire.example:8080"),
        ("http://wire.example:99999/", ""),
        ("feed.xml", ""),
    ],
)
def test_the_site_of_a_url_is_its_host_and_an_unusual_port(url: str, site: str) -> None:
    assert site_of(url) == site


def test_a_feed_that_names_no_site_is_refused_unless_it_is_known() -> None:
    data = json_feed({"id": "1", "title": "T"}, home_page_url="")
    with pytest.raises(FeedError, match="it does not name its site"):
        read(data)
    assert read_one(data, replace(OPTIONS, site="a.example")).external_id == "feed:a.example:1"


def test_rss_1_has_its_items_beside_the_channel() -> None:
    record = read_one(RDF)
    draft = record.draft
    assert (draft.headline, draft.authors, draft.topics) == ("One", ("Efua",), ("Gold",))
    assert (draft.source_name, record.published_at) == ("Old Wire", DATE)
    assert record.external_id == "feed-file:old.example:https://old.example/1"
    assert draft.body == "Plain text of <one> &amp; more."


def test_an_atom_entry_with_prefixes_and_xhtml() -> None:
    record = read_one(ATOM)
    draft = record.draft
    assert (draft.headline, draft.dek) == ("Le prix de l’or", "Une hausse.")
    assert (draft.language, draft.authors, draft.topics) == ("fr", ("Rédaction",), ("L’or",))
    assert draft.source_url == "https://atom.example/base/or.html"
    assert "<div><p>Le prix &lt; 3 000<br>\nmonte.</p></div>" in draft.body
    assert record.updated_at == datetime(2026, 11, 3, 6, 30, tzinfo=UTC)
    assert record.changes == ("Not imported: https://atom.example/base/or.png",)


def test_a_json_feed_of_version_1_and_1_1() -> None:
    first = {
        "id": 7,
        "url": "https://json.example/7",
        "content_text": "Less < more.\n\nEnd.",
        "author": {"name": "Ama"},
        "image": "https://json.example/a.png",
        "tags": ["Gold", 3],
        "date_published": "2026-11-02T08:30:00+02:00",
    }
    second = {"id": "8", "content_html": "<p>Two</p>", "authors": [{"name": "B"}, {"name": "C"}]}
    one, two = read(json_feed(first, second, language="pt"))
    assert one.draft.headline == "Less < more. End."
    assert "There was no headline; it was made from the text." in one.changes
    assert "<p>Less &lt; more.</p>\n<p>End.</p>" in one.draft.body
    assert (one.external_id, one.published_at) == ("feed-file:json.example:7", DATE)
    assert (one.draft.authors, one.draft.topics, one.draft.language) == (
        ("Ama",),
        ("Gold",),
        "pt",
    )
    assert two.draft.authors == ("B", "C")


@pytest.mark.parametrize("data", ["", "PK\x03\x04", "<html><body>404</body></html>", "{}", "{"])
def test_what_is_no_feed_is_refused(data: str) -> None:
    with pytest.raises(FeedError):
        read(data)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY % x SYSTEM "https://evil.example/x.dtd"> %x;]>',
        '<!DOCTYPE rss [<!ATTLIST b q CDATA "long">]>',
        '<!DOCTYPE rss SYSTEM "https://evil.example/x.dtd" []>',
    ],
)
def test_declarations_of_a_feed_are_refused(doctype: str) -> None:
    feed = rss(item()).decode().replace("<rss", f"{doctype}<rss", 1)
    with pytest.raises(FeedError, match="declarations in the document type are not"):
        read(feed)


def test_a_document_type_without_entities_is_not_loaded_and_html_entities_are_known() -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//N//DTD RSS 0.91//EN" "https://evil.example/rss.dtd">'
    data = f"<?xml version='1.0'?>{doctype}<rss><channel><link>https://a.example</link><item><title>A&nbsp;b&eacute;"
    assert read_one(f"{data}</title></item></channel></rss>").draft.headline == "A bé"


ENCODINGS = "base64 bz2 hex idna punycode rot13 undefined utf-16 utf-16-le uu zlib cp037"


@pytest.mark.parametrize("encoding", ENCODINGS.split())
def test_an_encoding_in_which_a_feed_cannot_be_is_refused(encoding: str) -> None:
    data = rss(item()).replace(b"UTF-8", encoding.encode(), 1)
    with pytest.raises(FeedError, match=f"not in the encoding that it declares: {encoding}"):
        read(data)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "shift_jis", "unknown"])
def test_other_encodings_are_read(encoding: str) -> None:
    data = rss(item()).replace(b"UTF-8", encoding.encode(), 1)
    assert read_one(data).draft.headline == "Rain &amp; relief"


def test_entries_before_the_damage_are_imported() -> None:
    data = rss(item(1), "<item><title>Two</item>")
    record, (location, error) = read(data)
    assert record.external_id == "feed-file:wire.example:wire-1"
    assert location == "entry 2"
    assert isinstance(error, RecordError)
    assert "damaged at byte" in str(error) and "mismatched tag" in str(error)


def test_nesting_and_tags_without_bounds_are_refused() -> None:
    long = "n" * 201
    for text in ("<b>" * 200, f'<b a="{"x" * 2_000_000}">', f"<{long}>", f'<b {long}="">'):
        with pytest.raises(FeedError):
            read(RSS.format(items=text))


def test_a_long_feed_takes_the_memory_of_one_entry() -> None:
    class LongFeed:
        def __init__(self) -> None:
            self.pieces = iter([RSS.format(items="").partition("</channel>")[0].encode()])
            self.number = 0

        def read(self, size: int) -> bytes:
            self.number += 1
            entry = f"<item><title>{self.number}</title><description>{'x ' * 30_000}"
            data = next(self.pieces, f"{entry}</description></item>".encode())
            return data if self.number < 200 else b""

    tracemalloc.start()
    entries = feeds.read(LongFeed(), OPTIONS)  # type: ignore[arg-type]
    assert sum(isinstance(entry, Record) for entry in entries) > 100
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("read_entry", f"<item>{f'<b {LONG_ATTRIBUTE}/>' * 50}</item>"),
        ("read_entry", f"<item>{NESTED}{'<b/>' * 1_000}{NESTED.replace('<', '</')}</item>"),
        ("read_feed", f"<channel {LONG_ATTRIBUTE}/>" * 50),
        ("read_feed", f"<item/><b>{'x' * 50_000}</b>" * 50),
    ],
)
def test_names_and_attributes_count_as_text(
    monkeypatch: pytest.MonkeyPatch, name: str, items: str
) -> None:
    monkeypatch.setattr(xml_feeds, "MAX_ENTRY_TEXT", 100_000)
    read_fields = getattr(xml_feeds, name)
    collected: list[list[Field]] = []

    def collect(fields: list[Field]) -> Any:
        collected.append(fields)
        return read_fields(fields)

    monkeypatch.setattr(xml_feeds, name, collect)
    read(rss(items))
    assert collected
    assert sum(len(str(field)) for field in collected[0]) < 200_000


def test_the_size_of_an_entry_counts_all_its_values() -> None:
    for value in fields(FeedEntry):
        content = "x" * 5_000 if value.type == "str" else ["x" * 5_000]
        assert FeedEntry(**{value.name: content}).size > FeedEntry().size + 5_000


def test_what_an_entry_may_hold_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_feeds, "MAX_ENTRY_TEXT", 1_000)
    many = "<category>x</category>" * 5_000
    record = read_one(rss(f"<item><title>T</title>{many}<description>Cut</description></item>"))
    assert len(record.draft.topics) == 1
    assert record.draft.body.startswith("<p><editor-note>The source has no text")
    assert "The source has no text of this story." in record.changes


def test_markup_in_elements_that_should_have_escaped_it_stays() -> None:
    data = "<item><title>A <b>bold</b> word</title><description><p>One</p><p>Two &lt; 3</p>"
    record = read_one(rss(f"{data}</description></item>"))
    assert record.draft.headline == "A bold word"
    assert record.draft.body == "<p>One</p><p>Two &lt; 3</p>"


def test_too_long_values_are_shortened_and_reported() -> None:
    topics = "".join(f"<category>topic {number}</category>" for number in range(40))
    data = f"<item><title>{'word ' * 100}</title>{topics}<description>Text</description></item>"
    record = read_one(rss(data))
    assert len(record.draft.headline) <= 300
    assert len(record.draft.topics) == 30
    assert "Too long, shortened: Headline" in record.changes
    assert "Too long, shortened: Topics" in record.changes


def test_a_data_picture_becomes_a_note_and_late_pictures_are_known() -> None:
    html = (
        '<p><img src="data:image/gif;base64,R0" alt="A map"></p>'
        '<p><img src="data:image/gif;base64,R0" data-src="/late.jpg"></p>'
    )
    item_xml = f"<item><link>https://wire.example/a</link><description><![CDATA[{html}]]>"
    record = read_one(rss(f"{item_xml}</description></item>"))
    assert "Not imported: A map" in record.changes
    assert "Not imported: https://wire.example/late.jpg" in record.changes
    assert "data:image" not in record.draft.body.replace("data-src", "")
