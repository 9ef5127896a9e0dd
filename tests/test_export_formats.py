"""The parts of an exported site: its directory, search files, web archive and page rewriter."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from spectator.cli import main
from spectator.exporters.directories import ExportDirectory, ExportError, is_safe_name
from spectator.exporters.page_rewriter import Links, rewrite
from spectator.exporters.search_files import SearchFiles, code_points, encode, new_postings
from spectator.exporters.static_site import export_site
from spectator.exporters.warc import WarcWriter
from spectator.text.html.tokenizer import Tag, split_tags
from tests.conftest import use_site
from tests.exported_sites import export, files_in

MOMENT = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


def write_files(path: Path, files: dict[str, bytes], is_finished: bool = True) -> None:
    with ExportDirectory(path, "site") as directory:
        for name, content in files.items():
            directory.write(name, content)
        if is_finished:
            directory.finish()


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("A year of work")
    with pytest.raises(ExportError, match="has other files"):
        write_files(tmp_path, {"index.html": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with ExportDirectory(tmp_path / "new", "site") as directory:
        directory.finish()
    with pytest.raises(ExportError), ExportDirectory(tmp_path / "new", "json"):
        pass  # an export of another kind


def test_an_export_that_was_killed_is_not_taken_for_whole(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/old.html": b"1", "index.html": b"1"})
    write_files(tmp_path, {"a/new.html": b"2", "index.html": b"2"}, is_finished=False)
    (tmp_path / "spectator-site.new").write_bytes(b"half a fi")  # killed while writing
    assert not (tmp_path / "spectator-site.sha256").exists()
    write_files(tmp_path, {"index.html": b"3"})
    assert {name: path.read_bytes() for name, path in files_in(tmp_path).items()} == {
        "index.html": b"3"
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.html",
        "spectator-site.sha256",
    ]


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside", "..", ""])
def test_no_list_leads_outside_the_directory(tmp_path: Path, name: str) -> None:
    assert not is_safe_name(name)
    (tmp_path / "outside").write_text("mine")
    site = tmp_path / "site"
    write_files(site, {"index.html": b"1"})
    with (site / "spectator-site.sha256").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    write_files(site, {"index.html": b"2"})
    assert (tmp_path / "outside").read_text() == "mine"
    with pytest.raises(ExportError):
        write_files(site, {name: b"3"})


def test_no_link_leads_outside_the_directory(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    outside.mkdir()
    (outside / "a.html").write_text("mine")
    write_files(site, {"index.html": b"1", "b/a.html": b"1"})
    (site / "b/a.html").unlink()
    (site / "b").rmdir()
    (site / "b").symlink_to(outside)
    with pytest.raises(ExportError):
        write_files(site, {"b/a.html": b"2"})
    write_files(site, {"index.html": b"1"})
    assert (outside / "a.html").read_text() == "mine"


def read_search(path: Path) -> dict[str, Any]:
    """Return the data of the search files by name, as the script gets them."""
    data = {}
    for file in (path / "search").glob("*.js"):
        match = re.fullmatch(r'spectatorSearch\("(.+?)",(.*)\);\n', file.read_text("utf-8"), re.S)
        assert match and match[1] == file.stem
        data[match[1]] = json.loads(match[2])
    return data


def stories_with(data: dict[str, Any], word: str) -> list[tuple[str, bool]]:
    """Return the files of the stories with a word, and whether it is in their headline."""
    postings, number = data[f"words-{code_points(word[:2])}"].get(word, ""), 0
    hits = []
    for difference in postings.split():
        number += int(difference, 36)
        row = data[f"stories-{number // 2 // data['start']['perFile']}"]
        hits.append((row[number // 2 % data["start"]["perFile"]][1], bool(number % 2)))
    return hits


def test_the_search_files_find_words_of_texts_and_names(
    app: Flask, story: Callable[..., int], tmp_path: Path
) -> None:
    story(1, slug="one", headline="Élection à Bamako", body="<p>Wáter <b>levels</b></p>")
    story(2, slug="two", headline="Water", topics=("Ferries",), authors=("Ama Mensah",))
    export(app, tmp_path / "static")
    data = read_search(tmp_path / "static")
    one, two = "politics/one/index.html", "politics/two/index.html"
    assert stories_with(data, "election") == [(one, True)]
    assert stories_with(data, "water") == [(one, False), (two, True)]
    assert stories_with(data, "ferries") == stories_with(data, "mensah") == [(two, False)]
    assert data["start"]["folds"]["É"] == "e" and data["start"]["count"] == 2
    assert data["start"]["prefixes"] == sorted(data["start"]["prefixes"])
    assert data["stories-0"][0][:3] == ["Élection à Bamako", one, "2026-11-20"]


def test_the_search_files_leave_out_common_words(app: Flask, tmp_path: Path) -> None:
    with ExportDirectory(tmp_path / "static", "site") as directory:
        search = SearchFiles(directory, dict.fromkeys(range(300), "a.html"))
        for word, count in (("the", 121), ("rare", 120)):
            for number in range(count):
                search.postings.setdefault(word, new_postings()).append(2 * number)
        search.write()
    data = read_search(tmp_path / "static")
    assert data["start"]["common"] == ["the"] and list(data["words-72-61"]) == ["rare"]
    assert len([name for name in data if name.startswith("stories-")]) == 30


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([0], "0"), ([3, 38, 39], "3 z 1"), ([1296], "100")]
)
def test_numbers_are_stored_as_differences(numbers: list[int], text: str) -> None:
    assert encode(numbers) == text


def read_records(content: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield the header fields and the block of each record, every one a member of gzip."""
    while content:
        member = zlib.decompressobj(wbits=31)
        record = member.decompress(content)
        assert member.eof
        content = member.unused_data
        head, _, rest = record.partition(b"\r\n\r\n")
        version, *lines = head.decode().split("\r\n")
        assert version == "WARC/1.1"
        fields = dict(line.split(": ", 1) for line in lines)
        length = int(fields["Content-Length"])
        assert rest[length:] == b"\r\n\r\n"
        digest = base64.b32encode(hashlib.sha1(rest[:length]).digest()).decode()
        assert fields["WARC-Block-Digest"] == f"sha1:{digest}"
        yield fields, rest[:length]


def test_a_web_archive_has_a_record_for_each_answer() -> None:
    archives = []
    for _ in range(2):
        file = BytesIO()
        writer = WarcWriter(file, MOMENT, "spectator/1")
        headers = [("Content-Type", "text/html")]
        writer.add_response("https://a.example/", "200 OK", headers, "Où".encode())
        writer.add_response("https://a.example/", "200 OK", headers, b"again")
        archives.append(file.getvalue())
    assert archives[0] == archives[1]
    (info, about), (fields, block) = read_records(archives[0])
    assert info["WARC-Type"] == "warcinfo" and b"software: spectator/1\r\n" in about
    assert fields["WARC-Target-URI"] == "https://a.example/"
    assert fields["WARC-Date"] == "2026-11-20T12:00:30Z"
    assert block == "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nOù".encode()
    assert info["WARC-Record-ID"] != fields["WARC-Record-ID"]


def test_the_web_archive_of_a_site_has_its_pages_as_they_are(
    app: Flask, story: Callable[..., int], tmp_path: Path
) -> None:
    story(slug="dam")
    archives = []
    for number in range(2):
        with ExportDirectory(tmp_path / str(number), "site") as directory:
            file = BytesIO()
            export_site(app, directory, WarcWriter(file, MOMENT, "s"), lambda *_: None)
        archives.append(file.getvalue())
    assert archives[0] == archives[1]
    blocks = {
        fields.get("WARC-Target-URI", ""): block for fields, block in read_records(archives[0])
    }
    page = blocks["https://spectator.example/politics/dam"]
    assert page.startswith(b"HTTP/1.1 200 OK\r\n") and b'href="/politics/"' in page
    assert "https://spectator.example/feed.xml" in blocks
    assert not [url for url in blocks if "newsroom" in url]


LINKS = Links(
    lambda url, is_next: None if "gone" in url else f"P{url}{'+' if is_next else ''}",
    lambda url: None if "gone" in url else f"F{url}",
    lambda url: f'<a href="{url}">related</a>',
)


def test_pictures_for_other_sites_are_exported() -> None:
    requested: list[str] = []
    links = Links(lambda url, _: url, lambda url: requested.append(url), lambda url: url)
    html = '<meta property="og:image" content="https://s.example/media/a.jpg">'
    assert rewrite(html, links) == html
    assert requested == ["https://s.example/media/a.jpg"]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<!DOCTYPE html><!-- <a href='/x'> --><p>a < b</p>", None),
        ('<a class=x href="/a?b=1&amp;c=2">A</a>', '<a class=x href="P/a?b=1&amp;c=2">A</a>'),
        ('<a href="/gone">A</a>', "<a>A</a>"),
        ('<a rel="next" href="/b">', '<a rel="next" href="Pb+">'.replace("Pb", "P/b")),
        ('<img src="/a.jpg" alt="">', '<img src="F/a.jpg" alt="">'),
        (
            '<img srcset="/a-1.jpg 1w, /gone.jpg 2w, /b.jpg 3w">',
            '<img srcset="F/a-1.jpg 1w, F/b.jpg 3w">',
        ),
        ('<link rel="icon" href="/i">', '<link rel="icon" href="F/i">'),
        ('<link rel="stylesheet" href="/gone">', ""),
        ('<link rel="canonical" href="https://s/">', None),
        ('<link rel="alternate" hreflang="fr" href="https://s/">', None),
        ('<link rel="alternate" href="/f.xml">', '<link rel="alternate" href="P/f.xml">'),
        ('<script src="/m.js" type="module"></script>!', "!"),
        ('<script src="/gone.js"></script>!', "!"),
        ("<script>go('</p>')</script>!", "!"),
        ('<script src="/s.js"></script>', '<script src="F/s.js"></script>'),
        ('<script type="application/ld+json">{"a":"<a href=/b>"}</script>', None),
        ('<meta name="htmx-config" content="{}"><p hx-get="/fragments/x">', "<p>"),
        (
            '<section hx-get="/fragments/related/1"><section></section>a</section>b',
            '<a href="P/fragments/related/1">related</a>b',
        ),
        (
            '<style>a{b:url("/static/l.png")}</style>',
            '<style>a{b:url("F/static/l.png")}</style>',
        ),
        ('<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>', None),
    ],
)
def test_the_rewriter_changes_only_links(html: str, expected: str | None) -> None:
    assert rewrite(html, LINKS) == (html if expected is None else expected)


def test_the_tags_and_texts_of_a_page_are_the_page(app: Flask) -> None:
    page = app.test_client().get("/").text
    assert "".join(t.raw if isinstance(t, Tag) else t for t in split_tags(page)) == page


def test_the_command_writes_a_site_and_an_archive(
    app: Flask,
    story: Callable[..., int],
    runner: FlaskCliRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_site(app, monkeypatch)
    story(slug="dam")
    target, archive = str(tmp_path / "static"), tmp_path / "site.warc.gz"
    result = runner.invoke(main, ["export", "site", target, "--warc", str(archive)])
    assert result.exit_code == 0, result.output
    assert f"{target}/index.html" in result.output
    assert gzip.decompress(archive.read_bytes()).startswith(b"WARC/1.1\r\n")
    result = runner.invoke(main, ["export", "site", target, "--warc", str(archive)])
    assert result.exit_code == 1 and "Name a new file" in result.output
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a").touch()
    result = runner.invoke(main, ["export", "site", str(tmp_path / "mine")])
    assert result.exit_code == 1 and "has other files" in result.output
    assert "Traceback" not in result.output
