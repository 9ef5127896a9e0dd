"""An outage shows nothing withdrawn: nginx's cached copies are renewed in every encoding."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spectator import publishing
from spectator.db import db
from spectator.models import Article, User
from spectator.proxy_cache import ENCODINGS
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.drills.conftest import sites
from tests.drills.nginx_proxy import NAME, NGINX, Nginx, ask
from tests.drills.running_site import eventually, token

pytestmark = [pytest.mark.drill, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
ALLOWED_SECONDS = 10


def test_an_outage_revives_no_withdrawn_story(fresh_data: Path, tmp_path: Path) -> None:
    with sites(fresh_data, tmp_path) as make:
        site = make()
        nginx = Nginx(tmp_path / "nginx", int(site.address.rpartition(":")[2]), site.data / "media")
        site.environ |= {
            "SPECTATOR_TRUSTED_PROXIES": "1",
            "SPECTATOR_SITE_URL": f"https://{NAME}",
            "SPECTATOR_FRONT_URL": f"http://127.0.0.1:{nginx.port}",
        }
        site.start()
        stories = site.publish([token(1), token(2)])
        site.assert_findable(stories, 30, "the worker follows")
        try:
            nginx.start()
            for story in stories:
                for encoding in ENCODINGS:
                    assert story.token in ask(nginx.port, story.path, encoding).text
            with site.app_context():
                by = db.session.query(User).filter_by(role="editor").one()
                publishing.apply_action(
                    stories[0].id, by, Action("withdraw", note="A court ordered it.")
                )
            acted = time.monotonic()

            def are_renewed() -> bool:
                log = (nginx.home / "site.log").read_text("utf-8", "replace")
                return log.count(f'"{stories[0].path}" 410') >= len(ENCODINGS)

            eventually(are_renewed, ALLOWED_SECONDS, "every copy is renewed")
            assert time.monotonic() - acted < ALLOWED_SECONDS
            site.stop()
            for encoding in ENCODINGS:
                reply = ask(nginx.port, stories[0].path, encoding)
                assert (reply.status, f"{stories[0].token} is told" in reply.text) == (
                    410,
                    False,
                ), encoding
                assert stories[0].token not in ask(nginx.port, "/", encoding).text
                assert stories[1].token in ask(nginx.port, stories[1].path, encoding).text
        finally:
            nginx.stop()


def test_an_outage_revives_no_address_that_a_withdrawn_story_had(
    fresh_data: Path, tmp_path: Path
) -> None:
    with sites(fresh_data, tmp_path) as make:
        site = make()
        nginx = Nginx(tmp_path / "nginx", int(site.address.rpartition(":")[2]), site.data / "media")
        site.environ |= {
            "SPECTATOR_TRUSTED_PROXIES": "1",
            "SPECTATOR_SITE_URL": f"https://{NAME}",
            "SPECTATOR_FRONT_URL": f"http://127.0.0.1:{nginx.port}",
        }
        site.start()
        first, second = (
            make_draft(
                headline="Quokka scandal",
                body="Scandal told.",
                section=section,
                topics=("Quokkas",),
                authors=("Q",),
            )
            for section in ("politics", "business")
        )
        with site.app_context():
            by = db.session.query(User).filter_by(role="editor").one()
            story_id = publishing.create(first, by, publishing.Action("publish"))
            version = db.session.get_one(Article, story_id).version
        month = f"/archive/{datetime.now(UTC):%Y/%m}/"
        lists = ["/", "/politics/", "/business/", "/topic/quokkas/", "/author/q/", month]
        paths = [
            "/politics/quokka-scandal",
            "/business/quokka-scandal",
            *lists,
            *(f"{path}feed.xml" for path in lists),
        ]

        def read_pages() -> list[tuple[str, str]]:
            replies = {
                (path, kind): ask(nginx.port, path, kind) for path in paths for kind in ENCODINGS
            }
            return [
                key
                for key, reply in replies.items()
                if "scandal" in reply.text.lower() and reply.status == 200
            ]

        def act(do: Callable[[User], None], paths: set[str]) -> None:
            def seen() -> list[str]:
                return (nginx.home / "site.log").read_text("utf-8", "replace").splitlines()

            before = len(seen())
            with site.app_context():
                do(db.session.query(User).filter_by(role="editor").one())
            eventually(
                lambda: all(
                    sum(f'"{path}" ' in line for line in seen()[before:]) >= 4 for path in paths
                ),
                ALLOWED_SECONDS,
                "every copy is renewed",
            )

        try:
            nginx.start()
            assert len(read_pages()) > len(paths)
            act(
                lambda by: publishing.save(
                    story_id, second, by, version, publishing.Action("update")
                ),
                set(paths),
            )
            assert len(read_pages()) > len(paths)
            act(
                lambda by: publishing.apply_action(
                    story_id, by, Action("withdraw", note="A court ordered it.")
                ),
                set(paths),
            )
            site.stop()
            assert read_pages() == []
        finally:
            nginx.stop()


def test_nobody_else_goes_past_the_cache(fresh_data: Path, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "deploy/nginx-shared.conf").read_text("utf-8")
    assert 'map "$realip_remote_addr $http_x_spectator_renew ' in text
    assert "proxy_cache_bypass $is_apart $is_renewal;" in (
        Path(__file__).parents[2] / "deploy/nginx.conf"
    ).read_text("utf-8")
