"""Several hosts of a site: who runs, which host has a task, and settings that must be the same."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from spectator import (
    accounts,
    autosaves,
    config,
    indexing,
    outbox,
    preview_links,
    publishing,
    related,
    search_log,
)
from spectator import worker as worker_module
from spectator.cli import main
from spectator.db import StorageError, clock, db, postgresql_engine
from spectator.db.poller import PollingConnection
from spectator.hosts import leases, registry, shared_settings
from spectator.hosts.membership import Membership
from spectator.models import Article, Host, Lease, SearchCount, User
from spectator.operations import hints, nightly_backup, setup
from spectator.operations.doctor import problems
from spectator.worker import Worker
from tests import postgresql
from tests.conftest import make_draft, use_site
from tests.login_attempts import EMAIL, OFFICE, PASSWORD

needs_postgresql = pytest.mark.skipif(not postgresql.SERVER_URL, reason="runs with PostgreSQL")
Story = Callable[..., int]


class Switch:
    """A switch between hosts: the app is that of the host with this data directory."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def to(self, data_dir: Path) -> Worker:
        """Let the app be that of another host; return its worker, whose loop does not run."""
        data_dir.mkdir(exist_ok=True)
        self.app.config["DATA_DIR"] = data_dir
        return Worker(self.app)


@pytest.fixture
def switch(app: Flask) -> Switch:
    """Switch between hosts."""
    return Switch(app)


def stored_hosts() -> list[str]:
    db.session.rollback()
    return [host.name for host in db.session.query(Host).order_by(Host.name)]


def let_leases_expire() -> None:
    with db.write() as session:
        for lease in session.query(Lease):
            lease.expires_at = clock.current_time() - timedelta(seconds=1)


def let_hosts_stop(age: timedelta = timedelta(seconds=1)) -> None:
    with db.write() as session:
        for host in session.query(Host):
            host.live_until = clock.current_time() - age


def test_a_site_on_sqlite_has_every_lease_and_stores_none(app: Flask) -> None:
    if not registry.is_single_host_site():
        pytest.skip("runs with SQLite")
    membership = Membership(lambda: 1)
    assert membership.has(leases.LEADER) and membership.take(leases.BACKUP)
    membership.sign_off()
    assert stored_hosts() == []
    with db.write() as session:
        registry.own_host(session).live_until = clock.current_time() - timedelta(days=8)
    app.config["DATA_DIR"] /= "renamed"
    registry.prune()
    assert stored_hosts() == []
    assert registry.other_running_hosts() == [] and registry.lowest_offset_of_others() is None


@needs_postgresql
def test_one_host_at_a_time_is_the_leader(switch: Switch, tmp_path: Path) -> None:
    first = switch.to(tmp_path / "a").membership
    assert first.has(leases.LEADER)
    second = switch.to(tmp_path / "b").membership
    assert not second.has(leases.LEADER)
    let_leases_expire()
    second.report()
    assert second.has(leases.LEADER)
    switch.to(tmp_path / "a")
    first.report()
    assert not first.has(leases.LEADER)
    switch.to(tmp_path / "b")
    second.sign_off()
    switch.to(tmp_path / "a")
    assert registry.other_running_hosts() == []
    first.report()
    assert first.has(leases.LEADER)


@needs_postgresql
def test_a_host_that_stood_still_stores_nothing_as_leader(
    switch: Switch, story: Story, tmp_path: Path
) -> None:
    story()
    frozen = switch.to(tmp_path / "a")
    while frozen.run_once():
        pass
    story(headline="Another")
    let_leases_expire()
    switch.to(tmp_path / "b").membership.report()
    switch.to(tmp_path / "a")
    assert frozen.membership.has(leases.LEADER), "it does not know better yet"
    offset = related.queries.consumer_offset(related.CONSUMER)
    while frozen.run_once():
        pass
    assert related.queries.consumer_offset(related.CONSUMER) == offset
    with db.write() as session, pytest.raises(leases.LeaseLostError):
        leases.require(session, leases.LEADER)
    related.start_full_pass(date(2026, 11, 29))
    assert related.queries.consumer_offset(related.FULL_PASS) is None


@needs_postgresql
def test_a_new_leader_with_an_older_index_does_not_start_over(
    switch: Switch, story: Story, tmp_path: Path
) -> None:
    story()
    slow = switch.to(tmp_path / "b")
    index = related_index(slow)
    while slow.run_once():
        pass
    story(headline="Another")
    fast = switch.to(tmp_path / "a")
    let_leases_expire()
    while fast.run_once():
        pass
    assert related.queries.consumer_offset(related.CONSUMER) == outbox.newest_number()
    assert not related.RelatedConsumer().catch_up(index)
    assert related.queries.consumer_offset(related.FULL_PASS) is None


def related_index(worker: Worker) -> related.Index:
    from spectator import indexing

    return indexing.open_public_index(worker.data_dir)


@needs_postgresql
def test_the_outbox_is_kept_for_every_host(switch: Switch, story: Story, tmp_path: Path) -> None:
    story()
    slow = switch.to(tmp_path / "a")
    while slow.run_once():
        pass
    indexed_number = outbox.newest_number()
    slow.membership.report()
    let_leases_expire()
    for number in range(2):
        story(headline=f"Story {number}")
    fast = switch.to(tmp_path / "b")
    while fast.run_once():
        pass
    fast.run_maintenance()
    assert outbox.oldest_number() == indexed_number
    let_hosts_stop(registry.HOST_RETENTION + timedelta(minutes=1))
    fast.membership.report()
    fast.run_maintenance()
    assert outbox.oldest_number() == outbox.newest_number()
    assert [name[-2:] for name in stored_hosts()] == ["/b"]


@needs_postgresql
def test_each_host_counts_its_own_searches(switch: Switch, tmp_path: Path) -> None:
    for _ in range(2):
        for name in ("a", "b"):
            switch.to(tmp_path / name)
            search_log.log_search(tmp_path / name, "mali", 1, 0)
            search_log.aggregate(tmp_path / name)
            search_log.aggregate(tmp_path / name)
    db.session.rollback()
    assert [row.times for row in db.session.query(SearchCount)] == [4]


@needs_postgresql
def test_each_host_repairs_its_indexes_and_one_the_lists(
    switch: Switch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repairs: list[str] = []
    monkeypatch.setattr(publishing, "repair_listings", lambda: bool(repairs.append("lists")))
    for name in ("a", "b", "a", "b"):
        worker = switch.to(tmp_path / name)
        monkeypatch.setattr(
            worker.maintenance, "repair_indexes", lambda name=name: repairs.append(name)
        )
        worker.maintenance.run_nightly(date(2026, 11, 29))
    assert repairs == ["a", "lists", "b"]


@needs_postgresql
def test_one_host_repairs_an_index_that_all_share(
    app: Flask, switch: Switch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(indexing, "open_indexes", lambda data: opened.append(data) or iter(()))
    app.config["SEARCH"] = "postgres"
    for name in ("a", "b"):
        switch.to(tmp_path / name).maintenance.repair_indexes()
    assert opened == [tmp_path / "a"]


@needs_postgresql
def test_hosts_take_turns_with_backups(
    app: Flask, switch: Switch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spectator import maintenance

    monkeypatch.setattr(maintenance, "NIGHTLY_HOUR", 0)
    monkeypatch.setattr(nightly_backup, "make", lambda *_: None)
    app.config["BACKUP_TO"] = tmp_path / "backups"
    first, second = (switch.to(tmp_path / name).maintenance for name in ("a", "b"))
    switch.to(tmp_path / "a")
    first.start_backup_if_due()
    assert first.backup_thread is not None
    switch.to(tmp_path / "b")
    second.start_backup_if_due()
    assert second.backup_thread is None
    let_leases_expire()
    second.start_backup_if_due()
    assert second.backup_thread is not None


def test_a_report_that_fails_is_repeated_and_ends_no_worker(
    idle_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def report() -> None:
        calls.append(1)
        if len(calls) == 2:
            idle_worker.stop()
        raise StorageError("does not answer", OSError("server closed the connection"))

    monkeypatch.setattr(worker_module, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(idle_worker.membership, "report", report)
    idle_worker.run_membership()
    assert len(calls) == 2


def test_a_lease_may_be_left_during_a_report(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    membership = Membership(lambda: 1)
    membership.wanted_leases.add(leases.BACKUP)

    def take(*_: object) -> bool:
        membership.leave_to_expire(leases.BACKUP)  # as the maintenance does in its thread
        return True

    monkeypatch.setattr(leases, "take", take)
    membership.report()
    assert membership.leases is not None and leases.LEADER in membership.leases


def test_a_host_without_an_index_keeps_the_changes_since_it_was_missing(
    app: Flask, story: Story, idle_worker: Worker
) -> None:
    story()
    offset = idle_worker.maintenance.own_offset()
    assert offset == outbox.newest_number()
    story(headline="Published during the build")
    assert idle_worker.maintenance.own_offset() == offset
    while idle_worker.run_once():
        pass
    assert idle_worker.maintenance.own_offset() == outbox.newest_number() > offset


def test_hashes_of_pictures_tell_buckets_apart_but_no_directories(
    app: Flask, tmp_path: Path
) -> None:
    places = (tmp_path / "a", tmp_path / "b", "s3://a/media", "s3://b/media")
    hashes = [shared_settings.hash_settings(app.config | {"MEDIA": at})["MEDIA"] for at in places]
    assert hashes[0] == hashes[1] and len({*hashes}) == 3


def test_hashes_show_no_setting_and_follow_each(app: Flask, tmp_path: Path) -> None:
    theme = tmp_path / "theme.css"
    theme.write_text(":root { --accent: #000 }")
    hashes = shared_settings.hash_settings(app.config)
    assert set(shared_settings.HASHED_BY_VALUE) <= {row.name for row in config.SETTINGS}
    assert app.config["SECRET_KEY"] not in str(hashes)
    changes = dict.fromkeys((*shared_settings.HASHED_BY_VALUE, "SECRET_KEY"), "another")
    for name, value in (changes | {"THEME": theme}).items():
        other = shared_settings.hash_settings(app.config | {name: value})
        assert {key for key in hashes if hashes[key] != other[key]} == {name}


def test_the_hash_of_a_theme_is_that_of_the_one_read_at_the_start(
    app: Flask, tmp_path: Path
) -> None:
    settings = app.config | {"THEME": tmp_path / "theme.css"}
    settings["THEME"].write_text(":root { --accent: #000 }")
    hashes = shared_settings.hash_settings(settings)
    settings["THEME"].write_text(":root { --accent: #fff }")
    assert shared_settings.hash_settings(settings) == hashes


def test_a_data_directory_may_have_any_path(app: Flask) -> None:
    long = "/srv/" + "long/" * 60
    ids = [registry.host_id(Path(f"/{name}{long}")) for name in "ab"]
    assert len({*ids, *(registry.host_id(Path(f"{long}{name}")) for name in "ab")}) == 4
    app.config["DATA_DIR"] = Path(os.fsdecode(b"/srv/r\xe9daction"))
    with db.write() as session:
        host = registry.own_host(session)
    assert stored_hosts() == [host.name]
    assert host.name.endswith(":/srv/r\N{REPLACEMENT CHARACTER}daction")


@needs_postgresql
def test_settings_that_differ_are_named_by_the_doctor_and_logged(
    app: Flask, switch: Switch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    switch.to(tmp_path / "a").membership.report()
    second = switch.to(tmp_path / "b").membership
    assert registry.find_setting_differences() == []
    app.config.update(TIMEZONE="Africa/Lagos", SECRET_KEY="another " * 5)
    name = registry.host_name(tmp_path / "a")
    sentences = [
        f"The secret key differs from that of {name}: people are logged out at random. "
        "Copy one host's secret_key to the others, or set SPECTATOR_SECRET_KEY, and restart.",
        f"SPECTATOR_TIMEZONE differs from that of {name}. Set it alike on all, and restart.",
    ]
    assert [line for line in problems(app) if "differs" in line] == sentences
    with caplog.at_level(logging.WARNING):
        second.report()
        second.report()
        assert [record.message for record in caplog.records] == sentences
        registry.warn_of_differences()
    assert len(caplog.records) == 4
    let_hosts_stop()
    assert registry.find_setting_differences() == []


@needs_postgresql
def test_a_second_host_needs_the_secret_key_of_the_first(
    app: Flask, switch: Switch, tmp_path: Path
) -> None:
    switch.to(tmp_path / "a").membership.report()
    switch.to(tmp_path / "b")
    app.config.update(SECRET_KEY=None, MEDIA=tmp_path / "b/media")
    with pytest.raises(setup.NotReadyError, match=r"runs on .*/a\. Copy its secret_key into"):
        setup.initialise(app)
    assert not (tmp_path / "b/secret_key").exists()
    let_hosts_stop()
    assert setup.initialise(app)


@needs_postgresql
def test_a_silent_host_is_worth_a_look(switch: Switch, tmp_path: Path) -> None:
    switch.to(tmp_path / "a").membership.report()
    switch.to(tmp_path / "b")
    assert list(hints.find_hints()) == []
    let_hosts_stop()
    [sentence] = hints.find_hints()
    assert "/a has not reported since 20" in sentence and "after 7 days" in sentence


@needs_postgresql
def test_the_database_is_not_copied_while_another_host_runs(
    app: Flask,
    switch: Switch,
    runner: FlaskCliRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = app.config["DATA_DIR"]
    switch.to(tmp_path / "a").membership.report()
    app.config["DATA_DIR"] = own
    use_site(app, monkeypatch)
    result = runner.invoke(main, ["database", "copy", f"sqlite:///{tmp_path}/copy.db"])
    assert result.exit_code == 1 and "/a. Stop it there too, then try again." in result.output
    assert not (tmp_path / "copy.db").exists()


@needs_postgresql
def test_a_copy_of_the_pictures_is_repeated_if_another_host_runs(
    app: Flask,
    switch: Switch,
    runner: FlaskCliRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = app.config["DATA_DIR"]
    switch.to(tmp_path / "a").membership.report()
    app.config["DATA_DIR"] = own
    use_site(app, monkeypatch)
    result = runner.invoke(main, ["media", "move", str(tmp_path / "pictures")])
    assert result.exit_code == 0 and "Stop it on every host, run this command" in result.output
    let_hosts_stop()
    result = runner.invoke(main, ["media", "move", str(tmp_path / "pictures")])
    assert result.exit_code == 0 and "Now set SPECTATOR_MEDIA=" in result.output


@needs_postgresql
def test_due_stories_follow_the_clock_of_the_server(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowClock(datetime):
        """The clock of a host that is an hour late."""

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) - timedelta(hours=1)

    due = clock.current_time() + timedelta(minutes=10)
    article_id = publishing.create(make_draft(), editor, publishing.Action("schedule", due))
    monkeypatch.setattr(publishing, "datetime", SlowClock)
    shared = clock.SharedClock(PollingConnection(app.config["DATABASE_URL"], 1))
    monkeypatch.setattr(clock, "datetime", type("Clock", (SlowClock,), {}))
    assert shared.now() < due and publishing.publish_due() == 0
    with db.write() as session:
        article = session.get_one(Article, article_id)
        article.published_at = clock.current_time() - timedelta(minutes=1)
    assert publishing.publish_due() == 1
    shared.connection.close()


@needs_postgresql
def test_a_host_with_a_wrong_clock_deletes_nothing_and_ends_no_session(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FastClock(datetime):
        """The clock of a host that is a year ahead."""

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=365)

    token = accounts.log_in(EMAIL, PASSWORD, OFFICE)
    article_id = publishing.create(make_draft(), editor)
    preview_links.create(article_id, editor.id, 7)
    autosaves.save(editor.id, None, "f" * 22, 0, {"headline": "Set aside"})
    autosaves.discard(editor.id, "f" * 22)
    autosaves.prune()
    for module in (accounts, accounts.sessions, autosaves, preview_links, clock):
        monkeypatch.setattr(module, "datetime", FastClock, raising=False)
    for prune in (accounts.delete_expired, autosaves.prune, preview_links.prune):
        prune()
    assert accounts.user_by_token(token)
    assert len(preview_links.list_active(article_id)) == 1
    assert len(autosaves.list_discarded(editor.id, None)) == 1


@needs_postgresql
def test_a_host_that_stops_inside_a_transaction_holds_nobody_up(app: Flask) -> None:
    import psycopg

    url = app.config["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as frozen:
        frozen.execute(postgresql_engine.TAKE_WRITE_LOCK.replace("'60s'", "'100ms'"))
        with db.write():
            pass
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            frozen.execute("SELECT 1")


@needs_postgresql
def test_the_waiting_transactions_of_a_suspended_host_hold_nobody_up(app: Flask) -> None:
    """The server gives the lock to transactions whose client no longer answers."""
    import psycopg

    url = app.config["DATABASE_URL"].replace("+psycopg", "")
    statements = postgresql_engine.TAKE_WRITE_LOCK.replace("'60s'", "'2s'")
    with ExitStack() as stack:
        for _ in range(4):
            frozen = psycopg.connect(url)
            stack.callback(frozen.close)
            frozen.pgconn.send_query(f"BEGIN; {statements}".encode())
        time.sleep(0.2)
        started_at = time.monotonic()
        with db.write():
            pass
        assert time.monotonic() - started_at < postgresql_engine.IDLE_TIMEOUT_SECONDS + 0.8
