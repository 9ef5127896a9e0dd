"""Limits: the largest value that is allowed, and the smallest that is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import headers, search_log
from spectator.accounts import checks, throttling
from spectator.accounts.passwords import AccountError
from spectator.config import ConfigError
from spectator.media import decoder
from spectator.operations import backup
from spectator.operations.site_status import LOW_DISK_BYTES, Disk
from spectator.pagecache import keys
from spectator.pagecache.compression import MIN_COMPRESSIBLE_BYTES, is_compressible
from spectator.pagecache.store import CachedPage, PageStore
from spectator.search import MAX_PAGE, SearchResults
from spectator.search.language import key_terms
from spectator.site import results
from spectator.site.search_params import parse_search_params
from spectator.site.url_corrections import MAX_PATH_LENGTH, MAX_QUERY_LENGTH
from spectator.static_files import MAX_FILE_BYTES
from spectator.stylesheet import MAX_THEME_BYTES, read_theme
from tests.search_samples import document

PARAMS = parse_search_params({"q": "rain"})
RESULTS = SearchResults(
    ids=[], total=0, terms=frozenset(), prefixes=(), mode="all", index_offset=1
)


@pytest.mark.parametrize(
    ("width", "height", "is_accepted"),
    [
        (100, 100, True),
        (8, 80, True),
        (7, 70, False),
        (8, 81, False),
        (81, 8, False),
        (1200, 12_000, True),
        (1201, 12_001, False),
        (5000, 5000, True),
        (5000, 5001, False),
    ],
)
def test_sizes_of_pictures(width: int, height: int, is_accepted: bool) -> None:
    if is_accepted:
        decoder._check_size(width, height, decoder.MAX_PIXELS)
        return
    with pytest.raises(decoder.PictureError):
        decoder._check_size(width, height, decoder.MAX_PIXELS)


def test_a_picture_with_too_many_pixels_is_told_from_one_of_a_wrong_shape() -> None:
    for size, words in (((5000, 5001), "megapixels"), ((7, 7), "Sides must be")):
        with pytest.raises(decoder.PictureError, match=words):
            decoder._check_size(*size, decoder.MAX_PIXELS)


@pytest.mark.parametrize(
    ("free", "total", "is_low"),
    [
        (LOW_DISK_BYTES, 1_000_000_000, False),
        (LOW_DISK_BYTES - 1, 1_000_000_000, True),
        (50_000_000_000, 1_000_000_000_000, False),
        (49_999_999_999, 1_000_000_000_000, True),
    ],
)
def test_space_on_a_disk(free: int, total: int, is_low: bool) -> None:
    assert Disk("data", Path("/data"), free, total).is_low is is_low


@pytest.mark.parametrize(("missing", "is_enough"), [(0, True), (1, False)])
def test_space_for_a_backup(
    missing: int, is_enough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=5 + backup.MIN_FREE_BYTES - missing)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _directory: usage)
    if is_enough:
        backup._require_space(Path("/backups"), 5)
    else:
        with pytest.raises(backup.BackupError, match="needs 100 MB"):
            backup._require_space(Path("/backups"), 5)


@pytest.mark.parametrize(
    ("path", "query", "is_cached"),
    [
        ("/" + "x" * (keys.MAX_PATH_LENGTH - 1), "", True),
        ("/" + "x" * keys.MAX_PATH_LENGTH, "", False),
        ("/", "utm=" + "x" * (keys.MAX_QUERY_LENGTH - 4), True),
        ("/", "utm=" + "x" * (keys.MAX_QUERY_LENGTH - 3), False),
        ("/", "utm=x&before=y", False),
        ("/", "utm=x&start=y", False),
        ("//newsroom/", "", False),
    ],
)
def test_urls_of_the_page_cache(path: str, query: str, is_cached: bool) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
    key = keys.cache_key(environ | {"wsgi.url_scheme": "https"})
    assert key == (("https", path, "") if is_cached else None)


def page(name: str, size: int) -> CachedPage:
    bodies = {"": b"x" * size}
    return CachedPage(("https", name, ""), "", 1, "200 OK", [], name, bodies, 0.0)


def test_the_page_cache_is_full_only_beyond_its_limit() -> None:
    store = PageStore(2 * page("/a", 100).size)
    for name in ("/a", "/b"):
        store.put(page(name, 100))
    assert len(store.pages) == 2
    store.put(page("/b", 101))
    assert [key[1] for key in store.pages] == ["/b"]


@pytest.mark.parametrize(
    ("mimetype", "size", "expected"),
    [
        ("text/html", MIN_COMPRESSIBLE_BYTES, False),
        ("text/html", MIN_COMPRESSIBLE_BYTES + 1, True),
        ("application/rss+xml", 9_000, True),
        ("application/json", 9_000, True),
        ("image/png", 9_000, False),
    ],
)
def test_bodies_that_are_compressed(mimetype: str, size: int, expected: bool) -> None:
    assert is_compressible(mimetype, bytes(size)) is expected


@pytest.mark.parametrize(("size", "status"), [(MAX_FILE_BYTES, 200), (MAX_FILE_BYTES + 1, 404)])
def test_files_of_the_operator(app: Flask, client: FlaskClient, size: int, status: int) -> None:
    folder = app.config["DATA_DIR"] / "static"
    folder.mkdir()
    with (folder / "map.pdf").open("wb") as file:
        file.truncate(size)
    with client.get("/static/map.pdf") as response:
        assert response.status_code == status


def test_a_theme_of_sixteen_thousand_bytes(tmp_path: Path) -> None:
    path = tmp_path / "theme.css"
    path.write_bytes(b":root { --accent: #00664a; }".ljust(MAX_THEME_BYTES))
    assert read_theme(path).light == {"--accent": "#00664a"}
    path.write_bytes(b" ".ljust(MAX_THEME_BYTES + 1))
    with pytest.raises(ConfigError, match="it is larger than 16,000 bytes"):
        read_theme(path)


@pytest.mark.parametrize(("length", "is_accepted"), [(254, True), (255, False)])
def test_lengths_of_an_email(length: int, is_accepted: bool) -> None:
    email = "a" * (length - 13) + "@news.example"
    if is_accepted:
        assert checks.clean_email(email) == email
    else:
        with pytest.raises(AccountError, match="is not an email address"):
            checks.clean_email(email)


@pytest.mark.parametrize(
    ("seconds", "end"),
    [
        (0, "1 second."),
        (1, "2 seconds."),
        (59, "60 seconds."),
        (60, "2 minutes."),
        (119, "2 minutes."),
        (120, "3 minutes."),
    ],
)
def test_the_wait_after_too_many_logins(seconds: int, end: str) -> None:
    sentence = throttling._describe_wait(timedelta(seconds=seconds))
    assert sentence == f"Too many attempts. Try again in {end}"


def test_words_that_are_in_too_few_or_too_many_stories_are_no_key_terms() -> None:
    words = key_terms.WordCounts({"harmattan": 3, "monsoon": 2, "rains": 1, "an": 9}, [])
    frequencies = {"harmattan": 2, "monsoon": 50, "rains": 51, "an": 5}
    terms = key_terms.key_terms(words, 100, frequencies.__getitem__)
    assert [word for word, _ in terms] == ["harmattan", "monsoon"]
    assert terms[0][1] > terms[1][1]
    assert not key_terms.key_terms(words, 100, lambda _word: 1)


def test_words_of_the_headline_count_twice_more() -> None:
    story = document("Rain in Mali", "Mali: rain, wind.", dek="Rain")
    words = key_terms.count_words(story)
    assert words.counts == {"rain": 4, "in": 2, "mali": 3, "wind": 1}
    assert words.headline == ["rain", "in", "mali"]
    assert [key_terms.is_candidate(word) for word in ("war", "of", "2024", "g20")] == [
        *(True, False, False, True)
    ]


@pytest.mark.parametrize(
    ("number", "label"),
    [(1, "Author: a0"), (3, "Author: a0, a1, a2"), (4, "Author: a0, a1, a2 …")],
)
def test_names_in_a_chip(number: int, label: str) -> None:
    filters = [("author", f"a{index}") for index in range(number)]
    [chip] = results.chips(PARAMS, replace(RESULTS, filters=filters), {})
    assert chip.label == label


@pytest.mark.parametrize(
    ("start", "end", "selected"),
    [
        (date(2025, 1, 1), date(2025, 12, 31), ["2025"]),
        (date(2025, 1, 1), None, ["2025", "2026"]),
        (None, date(2025, 12, 31), ["2024", "2025"]),
        (date(2025, 1, 2), date(2026, 12, 30), []),
        (None, None, []),
    ],
)
def test_years_within_the_dates_of_a_search(
    start: date | None, end: date | None, selected: list[str]
) -> None:
    answer = replace(
        RESULTS,
        year_counts=[(2024, 1), (2025, 2), (2026, 3)],
        published_from=start,
        published_to=end,
    )
    years = results.year_links(PARAMS, answer)
    assert [year.label for year in years if year.is_selected] == selected


def test_warnings_of_a_search() -> None:
    assert results.warnings(RESULTS) == []
    [broad] = results.warnings(replace(RESULTS, is_partial=True))
    assert broad.startswith("This search is too broad. Only some results are shown.")
    [cut] = results.warnings(replace(RESULTS, is_truncated=True))
    assert cut == "Only the first 10 words and filters are used."


@pytest.mark.parametrize(("more", "limit"), [(0, 0), (1, 500)])
def test_results_beyond_the_last_page(more: int, limit: int) -> None:
    last = parse_search_params({"q": "rain", "page": str(MAX_PAGE)})
    total = MAX_PAGE * results.PER_PAGE + more
    assert results.pagination(last, replace(RESULTS, total=total))["result_limit"] == limit


def test_urls_that_are_corrected(client: FlaskClient) -> None:
    def location(path: str, query: str = "") -> str | None:
        return client.get(path + query).location

    assert location("/SEARCH".ljust(MAX_PATH_LENGTH, ".")) == "/search"
    assert location("/SEARCH".ljust(MAX_PATH_LENGTH + 1, ".")) is None
    query = "q=".ljust(MAX_QUERY_LENGTH, "x")
    assert location("/SEARCH", f"?{query}") == f"/search?{query}"
    assert location("/SEARCH", f"?{query}x") == "/search"


@pytest.mark.parametrize(("more", "is_written"), [(-1, True), (0, False)])
def test_searches_are_recorded_until_the_log_is_full(
    tmp_path: Path, more: int, is_written: bool
) -> None:
    log = tmp_path / "searches.log"
    with log.open("wb") as file:
        file.truncate(search_log.MAX_LOG_BYTES + more)
    before = log.stat().st_size
    search_log.log_search(tmp_path, "rain", 3, 0.01)
    assert (log.stat().st_size > before) is is_written


def test_a_header_may_have_a_url_of_eight_thousand_characters() -> None:
    def limited(length: int) -> Any:
        response = Flask.response_class(headers={"HX-Replace-Url": "/".ljust(length, "x")})
        response.location = "/".ljust(length, "x")
        headers.limit_urls(response)
        return response

    most = limited(headers.MAX_URL_LENGTH)
    assert "HX-Replace-Url" in most.headers and len(most.location) == headers.MAX_URL_LENGTH
    more = limited(headers.MAX_URL_LENGTH + 1)
    assert "HX-Replace-Url" not in more.headers
    assert (more.status_code, more.location) == (414, None)
