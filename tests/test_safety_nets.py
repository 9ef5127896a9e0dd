"""What catches a fault that nothing should cause: it holds when the fault is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text, update

from spectator import accounts, outbox
from spectator.db import db
from spectator.models import User
from spectator.operations import durable_files
from spectator.text.html import sanitizer
from tests.conftest import add_user


def test_a_damaged_password_hash_lets_nobody_in(app: Flask) -> None:
    add_user("author")
    for damaged in ("", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA"):
        with db.write() as session:
            session.execute(update(User).values(password_hash=damaged))
        with pytest.raises(accounts.LoginError):
            accounts.log_in(
                "author@news.example", "a long password of author", accounts.Client("192.0.2.1")
            )


def test_html_that_never_settles_becomes_text(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []

    def unsettled(html: str) -> str:
        passes.append(html)
        return f"{html}<b>"

    monkeypatch.setattr(sanitizer, "_clean_once", unsettled)
    text = sanitizer.clean_html("<p>1 &lt; 2 &amp; 3 &gt; 2</p><script>alert(1)</script>")
    assert text == "1 &lt; 2 &amp; 3 &gt; 2"
    assert 2 <= len(passes) <= 20


@pytest.mark.sqlite
def test_an_unreadable_outbox_means_that_every_page_may_have_changed(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with db.write() as session:
        outbox.append_all(session, [(article_id, "update") for article_id in (7, 8, 9)])
    reader = outbox.OutboxReader(app.config["DATABASE_URL"])
    assert reader.poll() == (3, "")
    assert reader.changed_between(1, 3) == {8, 9}
    assert reader.changed_between(3, 3) is None
    assert reader.changed_between(0, 201) is None, "more rows than are read"
    assert reader.changed_between(2, 4) is None, "a row that is not there yet"
    reader.recent.clear()
    with db.write() as session:
        session.execute(text("ALTER TABLE outbox RENAME TO lost"))
    assert reader.changed_between(1, 3) is None
    assert "cannot read the outbox: no such table: outbox" in caplog.text
    assert reader.poll() is None
    assert "cannot read the newest outbox number: no such table: outbox" in caplog.text
    with db.write() as session:
        session.execute(text("ALTER TABLE lost RENAME TO outbox"))
    assert reader.poll() == (3, "")
    reader.close()


def test_the_secret_key_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    replace, fsync = os.replace, os.fsync

    def note_sync(handle: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{handle}"))
        steps.append("directory" if name == tmp_path else name.read_bytes().decode())
        fsync(handle)

    def note_replace(old: str, new: Path) -> None:
        steps.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    durable_files.write_durably(tmp_path / "key", b"secret")
    assert steps == ["secret", "rename", "directory"]
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_a_secret_key_that_cannot_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        durable_files.write_durably(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []
