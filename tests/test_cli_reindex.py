"""`spectator reindex` says which story lists it has rebuilt."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from spectator.cli import context, main
from spectator.db import db


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_wrong_counts_of_stories_are_rebuilt_and_reported(
    app: Flask, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr(context, "create_ready_app", lambda: app)
    statement = "INSERT INTO story_count (kind, \"key\", number) VALUES ('section', 1, 9)"
    sentence = "story lists and counts: rebuilt, they did not match the stories"
    for is_wrong in (False, True, False):
        db.session.rollback()
        if is_wrong:
            with db.write() as session:
                session.execute(text(statement))
        result = app.test_cli_runner().invoke(main, ["reindex", *options])
        assert result.exit_code == 0
        assert (sentence in result.output) is is_wrong
