"""Random actions of three people on stories, checked against a simple model.

After every action, the database and the readers' pages are compared with the model; after each run
of up to 12 actions, search results are compared, too. 25 runs in CI, 500 at full size
(variable `STORY_RUNS`).
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

from spectator import create_app, indexing, outbox, publishing, queries
from spectator.db import db
from spectator.models import Article, Revision
from spectator.publishing import Action
from spectator.search import SearchRequest
from tests.conftest import add_user, make_draft
from tests.conftest import settings as site_settings
from tests.drills.sizes import drill_size
from tests.test_permissions import DOCUMENTED, STATES_AFTER

pytestmark = pytest.mark.drill
RUNS = drill_size("STORY_RUNS", ci=25, full=500)
PEOPLE = ("author", "editor", "admin")
NOTES = {"withdraw": "It was wrong.", "correct": "A name was wrong.", "update": "New figures."}


@dataclass
class StoryModel:
    """Expected state of a story."""

    maker: str  # the role of the person who created it
    word: str  # of its headline
    status: str = "draft"
    slugs: list[str] = field(default_factory=list)  # the present one last
    revisions: list[str] = field(default_factory=list)  # the word of each
    versions: list[int] = field(default_factory=list)
    note_count: int = 0


class Stories(RuleBasedStateMachine):
    """State machine: random actions of an author, an editor and an admin."""

    data: ClassVar[Path]
    templates: ClassVar[FileSystemBytecodeCache]
    stories = Bundle("stories")

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="stories-"))
        app = create_app(site_settings(Path(shutil.copytree(self.data, self.directory / "data"))))
        app.jinja_env.bytecode_cache = self.templates
        self.app, self.client, self.model = app, app.test_client(), dict[int, StoryModel]()
        self.context = app.app_context()
        self.context.push()
        self.people = {user.role: user for user in queries.users()}
        db.session.expunge_all()
        self.now = datetime.now(UTC)
        self.count = 0

    def new_word(self) -> str:
        self.count += 1
        return "zq" + "".join("abcdefghij"[int(digit)] for digit in f"{self.count:03}")

    def allows(self, role: str, story: StoryModel | None, action: str) -> bool:
        if role == "author" and story is not None and story.maker != "author":
            return False
        status = story.status if story else "new"
        return action in DOCUMENTED[status, "author" if role == "author" else "editor"]

    def make_action(self, name: str) -> Action:
        at = self.now + timedelta(days=30) if name == "schedule" else None
        return Action(name, at, NOTES.get(name, ""))

    @initialize(target=stories, roles=st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)))
    def begin(self, roles: tuple[str, str]) -> Any:
        return multiple(*(self.create(role) for role in roles))

    def create(self, role: str) -> int:
        word = self.new_word()
        article_id = publishing.create(make_draft(headline=f"About {word}"), self.people[role])
        self.model[article_id] = StoryModel(role, word, slugs=[f"about-{word}"])
        self.note(article_id)
        return article_id

    def note(self, article_id: int) -> None:
        story, article = self.model[article_id], self.get(article_id)
        story.revisions.append(story.word)
        story.versions.append(article.version)

    def get(self, article_id: int) -> Any:
        db.session.rollback()
        article = queries.article_to_edit(article_id)
        assert article is not None
        return article

    @rule(
        article_id=stories,
        role=st.sampled_from(PEOPLE),
        action=st.sampled_from(
            (
                "save",
                "update",
                "correct",
                "submit",
                "send_back",
                "schedule",
                "publish",
                "unschedule",
            )
        ),
        is_stale=st.sampled_from((False, False, False, True)),
    )
    def save(self, article_id: int, role: str, action: str, is_stale: bool) -> None:
        """Save a new headline with an action, based on the newest or (stale) an older version."""
        story, word, by = self.model[article_id], self.new_word(), self.people[role]
        version = story.versions[-1] - (1 if is_stale else 0)
        is_visible = self.allows(role, story, "view")
        draft = make_draft(headline=f"About {word}")
        try:
            publishing.save(article_id, draft, by, version, self.make_action(action))
        except publishing.ConflictError:
            assert is_stale and is_visible
            return
        except publishing.ForbiddenError:
            assert not self.allows(role, story, action)
            return
        assert self.allows(role, story, action) and not is_stale
        story.word = word
        if story.status not in {"published", "withdrawn"}:
            story.slugs.clear()
        story.slugs.append(f"about-{word}")
        story.status = STATES_AFTER.get(action, story.status)
        story.note_count += action in {"update", "correct"}
        self.note(article_id)

    @rule(
        article_id=stories,
        role=st.sampled_from(PEOPLE),
        action=st.sampled_from(
            ("submit", "send_back", "unschedule", "publish", "withdraw", "reinstate", "schedule")
        ),
    )
    def apply_action(self, article_id: int, role: str, action: str) -> None:
        """Apply an action without a save.

        Publishing a public story again is allowed and changes nothing.
        """
        story = self.model[article_id]
        is_repeated = action == "publish" and story.status == "published" and role != "author"
        try:
            publishing.apply_action(article_id, self.people[role], self.make_action(action))
        except publishing.ForbiddenError:
            assert not self.allows(role, story, action) and not is_repeated
            return
        assert self.allows(role, story, action) or is_repeated
        if not is_repeated:
            story.status = STATES_AFTER[action]
            self.note(article_id)

    @rule(article_id=stories, role=st.sampled_from(PEOPLE), back=st.integers(0, 3))
    def restore(self, article_id: int, role: str, back: int) -> None:
        """Restore a story to an earlier revision."""
        story = self.model[article_id]
        number = max(1, len(story.revisions) - back)
        try:
            publishing.restore(article_id, self.people[role], number, story.versions[-1])
        except publishing.ForbiddenError:
            assert not self.allows(role, story, "restore")
            return
        assert self.allows(role, story, "restore")
        story.word = story.revisions[number - 1]
        if story.status not in {"published", "withdrawn"}:
            story.slugs.clear()
        slug = f"about-{story.word}"
        story.slugs = [old_slug for old_slug in story.slugs if old_slug != slug] + [slug]
        self.note(article_id)

    @rule(days=st.sampled_from((1, 31)))
    def wait(self, days: int) -> None:
        """Publish stories due in 1 or 31 days; all scheduled ones are due in 30 days."""
        due = [
            article_id
            for article_id, story in self.model.items()
            if story.status == "scheduled" and days > 30
        ]
        assert publishing.publish_due(self.now + timedelta(days=days)) == len(due)
        assert publishing.publish_due(self.now + timedelta(days=days)) == 0
        for article_id in due:
            self.model[article_id].status = "published"
            self.note(article_id)

    @invariant()
    def the_database_agrees(self) -> None:
        for article_id, story in self.model.items():
            article = self.get(article_id)
            assert (article.status, article.headline) == (story.status, f"About {story.word}")
            assert (article.version, article.slug) == (story.versions[-1], story.slugs[-1])
            assert len(article.notes) == story.note_count
            rows = (
                db.session.query(Revision)
                .filter_by(article_id=article_id)
                .order_by(Revision.number)
                .all()
            )
            assert [row.content["headline"] for row in rows] == [
                f"About {word}" for word in story.revisions
            ]

    @invariant()
    def the_pages_agree(self) -> None:
        lists = [self.client.get(path).text for path in ("/", "/politics/", "/feed.xml")]
        archive = self.client.get("/archive/").text
        for story in self.model.values():
            is_public = story.status == "published"
            path = f"/politics/{story.slugs[-1]}"
            expected = {"published": 200, "withdrawn": 410}.get(story.status, 404)
            assert self.client.get(path).status_code == expected
            for former_slug in story.slugs[:-1]:
                response = self.client.get(f"/politics/{former_slug}")
                assert (response.status_code, response.location) == (301, path)
            for page in lists:
                assert (f"About {story.word}" in page) == is_public
        count = sum(story.status == "published" for story in self.model.values())
        assert count == 0 or f"{count} " in archive

    def teardown(self) -> None:
        try:
            index = indexing.open_public_index(self.app.config["DATA_DIR"])
            while indexing.catch_up(index):
                pass
            for article_id, story in self.model.items():
                ids_in_search = index.find(SearchRequest(text=story.word)).ids
                assert ids_in_search == ([article_id] if story.status == "published" else []), (
                    story
                )
        finally:
            db.session.remove()
            db.engine.dispose()
            self.context.pop()
            shutil.rmtree(self.directory)


@pytest.fixture
def newsroom(
    fresh_data: Path, tmp_path: Path, compiled_templates: FileSystemBytecodeCache
) -> type[Stories]:
    """State machine on copies of a site with one person of each role."""
    data = Path(shutil.copytree(fresh_data, tmp_path / "data"))
    app = create_app(site_settings(data))
    with app.app_context():
        for role in PEOPLE:
            add_user(role)
        db.session.remove()
        db.engine.dispose()
    Stories.data, Stories.templates = data, compiled_templates
    return Stories


def test_random_actions_on_stories_agree_with_the_model(newsroom: type[Stories]) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    machine_settings = settings(
        max_examples=RUNS, stateful_step_count=12, deadline=None, suppress_health_check=checks
    )
    run_state_machine_as_test(newsroom, settings=machine_settings)


def test_the_state_machine_notices_a_scheduled_story_that_is_public(
    newsroom: type[Stories], monkeypatch: pytest.MonkeyPatch
) -> None:

    def leak(session: Session, article: Article, _action: Action, now: datetime) -> None:
        article.published_at = now
        outbox.append(session, article.id, "publish")

    leaking_rule = replace(publishing.ACTIONS["schedule"], effect=leak, status="published")
    monkeypatch.setitem(publishing.ACTIONS, "schedule", leaking_rule)
    # The first story that leaks ends the search, so a high limit costs nothing.
    machine_settings = settings(
        max_examples=500, stateful_step_count=12, deadline=None, phases=[Phase.generate]
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(newsroom, settings=machine_settings)
