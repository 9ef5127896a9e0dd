"""`make bench` measures what it claims; an error here would flatter every figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from benchmarks import import_speed, naive_app
from benchmarks.figures import Figure, to_markdown
from benchmarks.speed import goals, load, page_cost, publications, publisher, rows, scale
from benchmarks.speed.__main__ import report_missing
from spectator import publishing, queries
from spectator.db import sqlite
from spectator.importers import jsonl, runner
from spectator.models import User
from spectator.pagecache import OUTBOX_NUMBER_ENVIRON_KEY
from tests.conftest import BASE, settings

pytestmark = pytest.mark.sqlite

WRK_OUTPUT = """Running 5s test @ http://127.0.0.1:8000/
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.12ms    1.08ms  20.61ms   75.00%
    Req/Sec     1.56k   100.00     1.80k    70.00%
  15523 requests in 5.01s, 88.10MB read
  Socket errors: connect 1, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 12
Requests/sec:   3098.33
Transfer/sec:     17.59MB
"""


def test_wrk_output_is_parsed() -> None:
    assert load.parse_wrk_output(WRK_OUTPUT) == load.Load(3098.33, 15523, 12, 6)
    without_errors = "".join(
        line
        for line in WRK_OUTPUT.splitlines(keepends=True)
        if "errors" not in line and "Non-2xx" not in line
    )
    assert load.parse_wrk_output(without_errors) == load.Load(3098.33, 15523, 0, 0)
    with pytest.raises(ValueError, match="unable to connect"):
        load.parse_wrk_output("unable to connect to 127.0.0.1:1 Connection refused")


def test_a_missing_program_is_reported_with_its_install_command() -> None:
    load.require("sh")
    with pytest.raises(SystemExit, match="apt-get install no-such-program"):
        load.require("sh", "no-such-program")


def test_runs_are_interleaved_and_every_other_round_runs_backwards() -> None:
    order: list[str] = []

    def act(name: str) -> Callable[[], float]:
        return lambda: (order.append(name), len(order))[1]

    results = load.interleave({"a": act("a"), "b": act("b")}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert results == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_a_ratio_is_the_median_over_all_rounds() -> None:
    assert load.median_ratio([90, 45, 1], [100, 50, 100]) == pytest.approx(0.9)
    assert load.format_rates([3000.4, 1, 9000], [1, 2, 3]) == "3,000 ÷ 2 requests/s"


def test_a_missing_figure_never_passes() -> None:
    missing = goals.CACHED.as_missing("nothing to measure")
    assert missing.is_met is False
    assert "missing" in str(missing) and "pass" not in str(missing)
    assert goals.CACHED.with_value(0.9).is_met and not goals.CACHED.with_value(0.89).is_met
    assert goals.DRIVER_CPU.with_value(0.1).is_met is None
    table = to_markdown([Figure("a | b", 1.5, "ms", 2.0, note="n"), missing])
    assert table.splitlines()[-1].count("|") == 6
    assert "≥ 0.9" in table and "| pass |" in table


def test_after_an_error_the_remaining_figures_are_missing() -> None:
    def figures() -> Iterator[Figure]:
        yield goals.CACHED.with_value(1.0)
        raise RuntimeError("it ended")

    rows = list(report_missing(figures(), goals.CACHED, goals.REVALIDATED))
    assert [(figure.name, figure.value, figure.verdict) for figure in rows] == [
        (goals.CACHED.name, 1.0, "pass"),
        (goals.REVALIDATED.name, None, "missing"),
    ]
    assert rows[1].note == "it ended"


def test_growth_is_measured_at_the_worst_size_and_clock() -> None:
    def run(wall: float, cpu: float) -> dict[str, object]:
        return {"pages": {"front page": (wall, cpu)}}

    measurements = {"10": [run(2, 1)] * 3, "20": [run(2, 1.5)] * 3, "30": [run(2, 1)] * 3}
    figure = scale.growth_figure("front page", (10, 20, 30), measurements)
    assert figure.value == 1.5
    assert figure.is_met is False


def test_the_first_reader_is_measured_without_the_time_of_a_render() -> None:
    samples = [{"request": 5.0, "seen": 6.0, "statuses": [200]}] * 98
    samples += [{"request": 40.0, "seen": 900.0, "statuses": [404, 503, 200]}] * 2
    first, seen, faults = publications.summarize(
        samples, load.Load(1500, 9000, 0, 0), 3000, 4.0, 20
    )
    assert first.value == pytest.approx(36)
    assert seen.value == 900
    assert faults.value == 2
    assert (first.is_met, seen.is_met, faults.is_met) == (False, True, False)


def test_every_publication_has_its_own_word_and_page(
    app: Flask, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    story_ids = [story(), story(hours=1, headline="Another")]
    assert len({publisher.unique_word(number) for number in range(400)}) == 400
    with app.test_request_context():
        paths = [publisher.publish_or_correct(number, editor, story_ids) for number in range(3)]
    assert len(set(paths)) == 3
    for number, path in enumerate(paths):
        assert publisher.unique_word(number) in client.get(path, base_url=BASE).text


def test_generated_stories_fill_every_list(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    rows.insert_stories(tmp_path / "data" / "spectator.db", 600)
    assert publishing.repair_listings()
    with app.test_request_context():
        pages = page_cost.page_urls(5)
    assert set(pages) >= {
        "article",
        "front page",
        "load more, near the end",
        "topic of few stories",
        "archive month",
    }
    for name, paths in pages.items():
        assert len(paths) == 5
        for path in set(paths):
            assert page_cost.cost(page_cost.unwrap_cache(app), path)[0] > 0, name
    with closing(sqlite.connect(tmp_path / "data" / "spectator.db")) as connection:
        (few,) = connection.execute(
            "SELECT count(*) FROM article_topic WHERE topic_id = 1"
        ).fetchone()
        assert few == rows.RARE_STORIES
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with app.test_request_context():
        assert (
            len(queries.stream(queries.Listing("latest", "Latest", "/")).articles)
            == queries.PAGE_SIZE
        )


def test_an_archive_of_short_stories_can_be_imported(app: Flask, tmp_path: Path) -> None:
    import_speed.write_short_stories(tmp_path / "archive.jsonl", 5)
    report = runner.import_records(
        jsonl.read(BytesIO((tmp_path / "archive.jsonl").read_bytes()), "en"), app.config["MEDIA"]
    )
    assert (report.added, report.refused, report.sections) == (5, [], [])


def test_pages_are_measured_without_the_middleware_around_the_site(app: Flask) -> None:
    class InFront:
        def __init__(self, inner: object) -> None:
            self.app = inner

    calls: list[dict[str, object]] = []

    def own(environ: dict[str, object], _start_response: object) -> list[bytes]:
        calls.append(environ)
        return [b"page"]

    app.wsgi_app = InFront(InFront(own))  # type: ignore[method-assign,assignment]
    assert page_cost.unwrap_cache(app)({"PATH_INFO": "/"}, lambda *_: None) == [b"page"]
    assert calls == [{"PATH_INFO": "/", OUTBOX_NUMBER_ENVIRON_KEY: 0}]


def words(page: str) -> list[str]:
    """Return the visible words of a page, without those in generated covers."""
    body = page.partition("<body>")[2]
    body = re.sub(r"<(svg|script)\b.*?</\1>", " ", body, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", body)).split()


def links(page: str) -> list[str]:
    """Return the URLs that a page links to, without the versions of static files."""
    return [href.partition("?")[0] for href in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', page)]


def test_the_naive_page_has_the_words_and_links_of_the_sites_page(
    app: Flask, client: FlaskClient, editor: User, story: Callable[..., int], tmp_path: Path
) -> None:
    article_id = story(
        dek="What it says below.",
        body="<p>The river rose &amp; fell.</p>\n<h2>And then</h2>\n"
        + "<p>It was told again and again.</p>\n" * 60,
        authors=("Amina Diallo", "Kofi Mensah", "Ruth Odera"),
        topics=("Floods", "Markets"),
        countries=("Mali", "Nigeria"),
        source_name="Bench Agency",
        source_url="https://agency.example/story",
    )
    article = queries.article_to_edit(article_id)
    assert article is not None
    draft = publishing.draft_from_article(article)
    publishing.save(
        article_id,
        draft,
        editor,
        article.version,
        publishing.Action("correct", note="The river fell first."),
    )
    ours = client.get(f"/politics/{article.slug}", base_url=BASE).text
    naive = naive_app.create_app(str(tmp_path / "data" / "spectator.db"))
    theirs = (
        naive.test_client()
        .get(f"/politics/{article.slug}", base_url="https://spectator.example")
        .text
    )
    with naive.app_context():
        naive_app.db.engine.dispose()
    assert words(theirs) == words(ours)
    assert links(theirs) == links(ours)
    for mark in ('"@type":"NewsArticle"', '"@type":"BreadcrumbList"'):
        assert mark in ours and mark.replace('":', '": ') in theirs
    assert 0.9 < len(theirs) / len(ours) < 1.1, (len(theirs), len(ours))
    assert settings(tmp_path)["SPECTATOR_SITE_URL"] in theirs
