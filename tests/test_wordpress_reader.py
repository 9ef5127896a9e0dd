"""The streaming reader of WordPress exports: damaged, hostile and odd files, and PHP's values."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest

from spectator.importers.wordpress import reader
from spectator.importers.wordpress.elements import Author, Channel, Comment, Element, Item, Term
from spectator.importers.wordpress.php_values import PhpValueError, parse_php_value
from spectator.importers.xml_text import CHUNK_BYTES, XmlError
from tests.wordpress_samples import (
    HEAD,
    NAMESPACES,
    category,
    comment,
    export,
    item,
    meta,
    php_string,
    term,
)


def read(data: bytes, mends_markup: bool = False) -> list[Element]:
    return list(reader.read_elements(BytesIO(data), mends_markup))


def items(data: bytes, mends_markup: bool = False) -> list[Item]:
    return [element for element in read(data, mends_markup) if isinstance(element, Item)]


def test_elements_come_in_the_order_of_the_file() -> None:
    data = export(
        category("world", "World", "news"),
        "<wp:tag><wp:tag_slug>gold</wp:tag_slug><wp:tag_name>Gold</wp:tag_name></wp:tag>",
        "<wp:term><wp:term_taxonomy>region</wp:term_taxonomy><wp:term_slug>west</wp:term_slug>"
        "<wp:term_name>West</wp:term_name></wp:term>",
        item(
            7,
            term("category", "world", "World"),
            term("post_tag", "gold", "Gold &amp; silver"),
            meta("_thumbnail_id", "9"),
            meta("_wp_old_slug", "a"),
            meta("_wp_old_slug", "b"),
            meta("_elementor_data", "x" * 100),
            comment("First"),
            excerpt="In short.",
        ),
    )
    channel, author, *terms, remark, post = read(data)
    assert isinstance(channel, Channel)
    assert channel.url == "https://old.example"
    assert isinstance(author, Author)
    assert (author.login, author.name) == ("ama", "Ama Mensah")
    assert terms == [
        Term("category", "world", "World", "news"),
        Term("post_tag", "gold", "Gold"),
        Term("region", "west", "West"),
    ]
    assert isinstance(remark, Comment)
    assert (remark.post_id, remark.fields["comment_content"]) == (7, "First")
    assert isinstance(post, Item)
    assert (post.post_id, post.type, post.get("excerpt")) == (7, "post", "In short.")
    assert post.terms_of("post_tag") == [Term("post_tag", "gold", "Gold &amp; silver")]
    assert post.meta_values("_wp_old_slug") == ["a", "b"]
    assert (post.meta_value("_thumbnail_id"), post.meta_value("_elementor_data")) == ("9", "")
    assert data[post.offset :].startswith(b"<item>")
    assert data[: post.offset + post.size].endswith(b"</wp:comment>")


@pytest.mark.parametrize(
    "namespaces",
    [
        NAMESPACES.replace("http://wordpress", "https://wordpress"),
        NAMESPACES.replace("/1.2/", "/1.0/") + ' xmlns:other="https://other.example/"',
        "",  # the prefixes are not bound
    ],
)
def test_names_are_known_whatever_the_namespaces_are(namespaces: str) -> None:
    (post,) = items(export(item(7, excerpt="In short."), namespaces=namespaces))
    assert (post.post_id, post.get("creator"), post.get("excerpt")) == (7, "ama", "In short.")


def test_other_prefixes_may_stand_for_the_namespaces() -> None:
    data = export(item(7)).replace(b"wp:", b"x:").replace(b"xmlns:wp", b"xmlns:x")
    (post,) = items(data)
    assert (post.post_id, post.get("status")) == (7, "publish")


def test_elements_of_other_namespaces_do_not_replace_those_of_posts() -> None:
    (post,) = items(export(item(7, "<itunes:title>Other</itunes:title>", title="Own")))
    assert post.get("title") == "Own"


def test_authors_may_have_their_other_spelling() -> None:
    head = HEAD.replace("wp:author>", "wp:wp_author>")
    authors = [element for element in read(export(head=head)) if isinstance(element, Author)]
    assert [author.name for author in authors] == ["Ama Mensah"]


def test_illegal_characters_and_bytes_are_replaced() -> None:
    body = "one\x00\x08two \ufffe&#8217; three"
    data = export(item(7, content=body, title="Caf\udce9")).replace(b"</item>", b"&#0;</item>")
    data = data.replace(b"<link>https://old.example/2024", b"<link>&#x1F;&#xD800;&#65;https:")
    (post,) = items(data)
    assert post.get("content") == "one  two    &#8217; three"
    assert post.get("title") == "Caf?"


def test_illegal_characters_are_replaced_wherever_chunks_end() -> None:
    whole = export(item(7, content="x" * 40 + "&#0;&#11;" * 20 + "end")).replace(b"]]>", b"", 0)
    for shift in range(0, 300, 7):
        padded = whole.replace(b"</channel>", b"</channel>", 0)
        padding = b"<!--" + b"p" * (CHUNK_BYTES - 600 + shift) + b"-->"
        padded = padded.replace(b"<item>", padding + b"<item><about>&#0;&#11;&#65;</about>")
        (post,) = items(padded)
        assert post.get("about") == "A"


def test_another_encoding_is_read() -> None:
    data = export(item(7, title="Café")).decode().replace("UTF-8", "ISO-8859-1")
    (post,) = items(data.encode("latin-1"))
    assert post.get("title") == "Café"


def test_what_plugins_print_around_the_file_is_ignored() -> None:
    data = b"\xef\xbb\xbf\n\n<br /> Warning &\n" + export(item(7)) + b"<b>Notice</b> & <x>"
    assert [post.post_id for post in items(data)] == [7]


def test_entities_of_html_are_read() -> None:
    data = export(item(7)).replace(b"<![CDATA[Post 7]]>", b"R&eacute;sum&eacute;&nbsp;&what;")
    (post,) = items(data)
    assert post.fields["title"] == "Résumé\xa0&what;"


def test_damage_is_located_by_its_byte() -> None:
    data = export(item(6), item(7, title="Äpfel"), item(8))
    at = data.index(b"</wp:post_id>", data.index("Äpfel".encode()))
    damaged = b"\n\n" + data[:at] + b"<" + data[at:]
    elements: list[Element] = []
    with pytest.raises(XmlError, match=rf"byte {at + 3:,} \(line \d+\)") as error:
        elements.extend(reader.read_elements(BytesIO(damaged)))
    assert "not well-formed" in str(error.value)


def test_a_truncated_file_is_damaged() -> None:
    with pytest.raises(XmlError, match="damaged at byte"):
        read(export(item(7))[:-40])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an export"),
        (b"PK\x03\x04 zipped", "not an export"),
        (b"<html><rss", "damaged"),
        ("<?xml version='1.0'?>".encode("utf-16"), "not an export"),
        (b"<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a 'b'>]><rss>&a;</rss>", "document type"),
        (b"<?xml version='1.0'?><!DOCTYPE rss SYSTEM 'file:///etc/passwd'><rss/>", "document"),
        (b"<?xml version='1.0'?><rss>" + b"<a>" * 200, "nested"),
        (b"<?xml version='1.0'?><rss a='" + b"x" * 3_000_000, "too long"),
    ],
)
def test_hostile_and_other_files_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(XmlError, match=reason):
        read(data)


def test_a_section_inside_another_is_mended_on_request() -> None:
    broken = export(item(7, content="BODY", title="A & B"), item(8))
    broken = broken.replace(b"BODY", b"one <![CDATA[ two ]]> <p>three</p> & four")
    broken = broken.replace(b"<![CDATA[A & B]]>", b"A & B")
    with pytest.raises(XmlError):
        read(broken)
    post, other = items(broken, mends_markup=True)
    assert post.get("content").split() == ["one", "two", "<p>three</p>", "&", "four"]
    assert (post.get("title"), other.post_id) == ("A & B", 8)


def test_mending_leaves_escaped_sections_alone() -> None:
    body = "<script>//<![CDATA[\nrun()\n//]]></script>"
    (post,) = items(export(item(7, content=body)), mends_markup=True)
    assert "run()" in post.get("content")
    (post,) = items(export(item(7, content=body)))
    assert post.get("content") == body


class _EndlessFile:
    """An export with so many posts, comments and meta values that it would not fit in memory."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest = blocks, b""

    def read(self, size: int) -> bytes:
        while len(self.rest) < size and (block := next(self.blocks, b"")):
            self.rest += block
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def test_memory_is_bounded_however_large_a_file_or_a_post_is() -> None:
    def blocks() -> Iterator[bytes]:
        head, tail = export("SPLIT").split(b"SPLIT")
        yield head
        post = item(7, meta("_elementor_data", "y" * 20_000), comment("z" * 1_000)).encode()
        for _ in range(300):
            yield post
        yield item(8, content="BODY").encode().split(b"BODY")[0]
        for _ in range(200):
            yield b"w" * 50_000
        yield b"]]></content:encoded></item>" + tail

    tracemalloc.start()
    count = sum(
        isinstance(element, Item)
        for element in reader.read_elements(_EndlessFile(blocks()))  # type: ignore[arg-type]
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 301
    assert peak < 3 * reader.MAX_CONTENT


def test_php_values_are_read() -> None:
    name = php_string("naïve “ö”")
    text = f'a:4:{{s:4:"file";{name}i:0;d:1.5;i:1;b:1;i:2;a:1:{{i:0;N;}}}}'
    assert parse_php_value(text) == {"file": "naïve “ö”", 0: 1.5, 1: True, 2: {0: None}}


@pytest.mark.parametrize(
    "text",
    [
        'O:8:"stdClass":0:{}',
        'a:1:{i:0;O:8:"stdClass":0:{}}',
        "a:1:{i:0;R:1;}",
        "a:1:{N;i:1;}",
        "a:999999999:{i:0;i:1;}",
        's:99999999999:"x";',
        's:1:"é";',
        "i:12",
        "i:x;",
        "a:" * 1000,
        "a:1:{i:0;" * 60 + "N;" + "}" * 60,
        "i:1;i:2;",
        "",
    ],
)
def test_objects_and_damaged_php_values_are_refused(text: str) -> None:
    with pytest.raises(PhpValueError):
        parse_php_value(text)
