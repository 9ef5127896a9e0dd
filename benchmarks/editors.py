"""Twenty editors at once: each autosaves and saves a story of their own and one shared in pairs.

`python -m benchmarks.editors [SECONDS]`, part of `make bench`: 4 web processes, 60 s. No request
may fail, and 95 % of saves must take less than 300 ms. A save of a shared story that conflicts is
merged. Every save adds a paragraph with a unique mark; at the end each mark must be in the database
exactly once, or an acknowledged save was lost.
"""

from __future__ import annotations

import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from flask import Flask

from spectator import accounts, create_app, publishing, queries
from spectator.db import db
from spectator.models import User
from spectator.operations import setup
from tests.browser.running_site import RunningSite

EDITORS, WORKERS, SECONDS = 20, 4, 60
PAUSE_SECONDS = 1.0  # between two autosaves
AUTOSAVES_PER_SAVE = 5
TEXT = " ".join(["The river rose in the night and the market moved to the hill."] * 60)


class NoRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Handler that leaves redirects to the caller."""

    def redirect_request(self, *_args: object) -> None:
        """Do not follow the redirect."""


@dataclass
class Editor:
    """A logged-in editor and the timings (seconds) and errors of their requests."""

    site_url: str
    session_token: str
    saves: list[float] = field(default_factory=list)
    autosaves: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    conflicts: int = 0
    saved_marks: dict[int, list[str]] = field(default_factory=dict)  # by story id

    def request(self, path: str, data: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Send a request as a newsroom page does; return status, body and seconds."""
        headers = {
            "Cookie": f"__Host-session={self.session_token}",
            "Sec-Fetch-Site": "same-origin",
        }
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        started = time.perf_counter()
        try:
            opener = urllib.request.build_opener(NoRedirectHandler)
            with opener.open(
                urllib.request.Request(self.site_url + path, body, headers), timeout=30
            ) as response:
                status, text = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        except OSError as error:
            status, text = 0, str(error)
        if status == 0 or status >= 500:
            self.errors.append(f"{path}: {status} {text[:200]}")
        return status, text, time.perf_counter() - started


def form_fields(article_id: int) -> dict[str, str]:
    """Return a story's form fields as the edit page has them."""
    article = queries.article_to_edit(article_id)
    assert article is not None
    version, body = str(article.version), article.body
    db.session.rollback()
    return {
        "headline": f"Story {article_id}",
        "section": "politics",
        "language": "en",
        "version": version,
        "body": body,
    }


def run_editor(app: Flask, editor: Editor, stories: list[int], number: int, end: float) -> None:
    """Autosave and save random stories of the list until the monotonic time `end`."""
    rng, seq = random.Random(number), 0
    time.sleep(rng.uniform(0, PAUSE_SECONDS * AUTOSAVES_PER_SAVE))
    with app.app_context():
        while time.monotonic() < end:
            article_id = rng.choice(stories)
            fields = form_fields(article_id) | {"copy": f"{number:022}", "do": "save"}
            for _ in range(AUTOSAVES_PER_SAVE):
                seq += 1
                form = fields | {
                    "seq": str(seq),
                    "body": fields["body"] + f"<p>typing {seq}</p>",
                }
                fragments = f"/newsroom/fragments/stories/{article_id}"
                editor.autosaves.append(editor.request(f"{fragments}/autosave", form)[2])
                editor.request(f"{fragments}/presence", {"version": fields["version"]})
                time.sleep(PAUSE_SECONDS * rng.uniform(0.5, 1.5))
                if time.monotonic() > end:
                    break
            save(editor, article_id, fields, f"save-{number}-{seq}")
        db.session.remove()


def save(editor: Editor, article_id: int, fields: dict[str, str], mark: str) -> None:
    """Save a new paragraph with the mark; if a colleague saved first, combine both texts."""
    path = f"/newsroom/stories/{article_id}"
    fields = fields | {"body": f"{fields['body']}\n<p>{mark}</p>"}
    status, page, seconds = editor.request(path, fields)
    editor.saves.append(seconds)
    while status == 409:
        editor.conflicts += 1
        merged = hidden_fields(page) | {"choice.body": "together", "do": "save"}
        merged["together.body"] = textarea_value(page, "together.body")
        status, page, seconds = editor.request(f"{path}/merge", merged)
        editor.saves.append(seconds)
    if status == 303:
        editor.saved_marks.setdefault(article_id, []).append(mark)
    else:
        editor.errors.append(f"{path}: {status}")


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden inputs of a page by name."""
    fields = re.findall(r'<input\s+type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', page)
    return {name: unescape(value) for name, value in fields}


def textarea_value(page: str, name: str) -> str:
    """Return the content of a page's textarea."""
    return unescape(
        page.partition(f'name="{name}"')[2].partition(">\n")[2].partition("</textarea>")[0]
    )


def prepare_site(data: Path) -> tuple[list[str], list[int]]:
    """Create a site with twenty editors, a story for each and ten stories that pairs share.

    Return session tokens and story ids.
    """
    app = create_app({"SPECTATOR_DATA_DIR": str(data)})
    with app.app_context():
        setup.initialise(app)
        tokens = []
        for number in range(EDITORS):
            password = f"a long password {number}"
            accounts.add_user(f"e{number}@news.example", f"Editor {number}", "editor", password)
            tokens.append(
                accounts.log_in(f"e{number}@news.example", password, accounts.Client("127.0.0.1"))
            )
        by = db.session.query(User).first()
        assert by is not None
        db.session.expunge(by)
        drafts = [
            publishing.Draft(headline=f"S {n}", body=TEXT, section="politics")
            for n in range(EDITORS * 3 // 2)
        ]
        stories = [publishing.create(draft, by) for draft in drafts]
        db.session.remove()
        db.engine.dispose()
    return tokens, stories


def lost_updates(data: Path, editors: list[Editor]) -> list[str]:
    """Return the marks of acknowledged saves that are not in their story exactly once."""
    app, lost = create_app({"SPECTATOR_DATA_DIR": str(data)}), []
    with app.app_context():
        for editor in editors:
            for article_id, marks in editor.saved_marks.items():
                article = queries.article_to_edit(article_id)
                assert article is not None
                lost += [mark for mark in marks if article.body.count(f"<p>{mark}</p>") != 1]
        db.session.remove()
        db.engine.dispose()
    return lost


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return statistics.quantiles(seconds, n=20)[-1] * 1000 if len(seconds) > 1 else 0.0


def main() -> int:
    """Run the newsroom and print the figures; return 1 if a goal is missed."""
    duration = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="editors-") as directory:
        data = Path(directory) / "data"
        tokens, stories = prepare_site(data)
        site = RunningSite(data, "", "", b"")
        site.start(workers=WORKERS)
        editors = [Editor(site.url, token) for token in tokens]
        app, end = create_app({"SPECTATOR_DATA_DIR": str(data)}), time.monotonic() + duration
        threads = []
        for number, editor in enumerate(editors):
            own, shared = stories[number], stories[EDITORS + number // 2]
            threads.append(
                threading.Thread(
                    target=run_editor, args=(app, editor, [own, shared], number, end)
                )
            )
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with suppress(subprocess.TimeoutExpired):
            site.process.terminate()
            site.process.wait(20)
        lost = lost_updates(data, editors)
    saves = [save for editor in editors for save in editor.saves]
    autosaves = [autosave for editor in editors for autosave in editor.autosaves]
    errors = [error for editor in editors for error in editor.errors]
    figures = {
        "seconds": duration,
        "saves": len(saves),
        "save p95 ms": round(p95(saves), 1),
        "save median ms": round(statistics.median(saves) * 1000, 1),
        "autosaves": len(autosaves),
        "autosave p95 ms": round(p95(autosaves), 1),
        "conflicts merged": sum(editor.conflicts for editor in editors),
        "errors": len(errors),
        "lost updates": len(lost),
    }
    print(json.dumps(figures, indent=2))
    for problem in (errors + lost)[:10]:
        print(problem)
    return 1 if errors or lost or p95(saves) >= 300 else 0


if __name__ == "__main__":
    sys.exit(main())
