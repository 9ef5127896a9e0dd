"""The worker renews nginx's cached copies, so that an outage does not show withdrawn stories."""

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
from tests.drills.nginx_proxy import NAME, NGINX, Nginx, fetch
from tests.drills.running_site import eventually, token

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]
ALLOWED_SECONDS = 10


def test_an_outage_does_not_bring_back_a_withdrawn_story(
    fresh_data: Path, tmp_path: Path
) -> None:
    with sites(fresh_data, tmp_path) as make:
        site = make()
        nginx = Nginx(
            tmp_path / "nginx", int(site.address.rpartition(":")[2]), site.data / "media"
        )
        site.environ |= {
            "SPECTATOR_TRUSTED_PROXIES": "1",
            "SPECTATOR_SITE_URL": f"https://{NAME}",
            "SPECTATOR_FRONT_URL": f"http://127.0.0.1:{nginx.port}",
        }
        site.start()
        stories = site.publish([token(1), token(2)])
        site.assert_findable(stories, 30, "before the withdrawal")
        try:
            nginx.start()
            for story in stories:
                for encoding in ENCODINGS:
                    assert story.token in fetch(nginx.port, story.path, encoding).text
            with site.app_context():
                by = db.session.query(User).filter_by(role="editor").one()
                publishing.apply_action(
                    stories[0].id, by, Action("withdraw", note="A court ordered it.")
                )
            withdrawn_at = time.monotonic()

            def are_renewed() -> bool:
                log = (nginx.home / "site.log").read_text("utf-8", "replace")
                return log.count(f'"{stories[0].path}" 410') >= len(ENCODINGS)

            eventually(are_renewed, ALLOWED_SECONDS, "every copy is renewed")
            assert time.monotonic() - withdrawn_at < ALLOWED_SECONDS
            site.stop()
            for encoding in ENCODINGS:
                response = fetch(nginx.port, stories[0].path, encoding)
                assert response.status == 410, encoding
                assert f"{stories[0].token} appears" not in response.text, encoding
                assert stories[0].token not in fetch(nginx.port, "/", encoding).text
                assert stories[1].token in fetch(nginx.port, stories[1].path, encoding).text
        finally:
            nginx.stop()


def test_an_outage_does_not_bring_back_any_page_that_showed_a_withdrawn_story(
    fresh_data: Path, tmp_path: Path
) -> None:
    with sites(fresh_data, tmp_path) as make:
        site = make()
        nginx = Nginx(
            tmp_path / "nginx", int(site.address.rpartition(":")[2]), site.data / "media"
        )
        site.environ |= {
            "SPECTATOR_TRUSTED_PROXIES": "1",
            "SPECTATOR_SITE_URL": f"https://{NAME}",
            "SPECTATOR_FRONT_URL": f"http://127.0.0.1:{nginx.port}",
        }
        site.start()
        first, second = (
            make_draft(
                headline="Quokka scandal",
                body="A scandal.",
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

        def copies_with_the_story() -> list[tuple[str, str]]:
            responses = {
                (path, encoding): fetch(nginx.port, path, encoding)
                for path in paths
                for encoding in ENCODINGS
            }
            return [
                key
                for key, response in responses.items()
                if "scandal" in response.text.lower() and response.status == 200
            ]

        def change(action: Callable[[User], None], paths: set[str]) -> None:
            def log_lines() -> list[str]:
                return (nginx.home / "site.log").read_text("utf-8", "replace").splitlines()

            before = len(log_lines())
            with site.app_context():
                action(db.session.query(User).filter_by(role="editor").one())
            eventually(
                lambda: all(
                    sum(f'"{path}" ' in line for line in log_lines()[before:]) >= len(ENCODINGS)
                    for path in paths
                ),
                ALLOWED_SECONDS,
                "every copy is renewed",
            )

        try:
            nginx.start()
            assert len(copies_with_the_story()) > len(paths)
            change(
                lambda by: publishing.save(
                    story_id, second, by, version, publishing.Action("update")
                ),
                set(paths),
            )
            assert len(copies_with_the_story()) > len(paths)
            change(
                lambda by: publishing.apply_action(
                    story_id, by, Action("withdraw", note="A court ordered it.")
                ),
                set(paths),
            )
            site.stop()
            assert copies_with_the_story() == []
        finally:
            nginx.stop()


def test_only_renewals_from_the_sites_machine_bypass_the_cache() -> None:
    text = (Path(__file__).parents[2] / "deploy/nginx-shared.conf").read_text("utf-8")
    assert 'map "$realip_remote_addr $http_x_spectator_renew ' in text
    assert "proxy_cache_bypass $is_apart $is_renewal;" in (
        Path(__file__).parents[2] / "deploy/nginx.conf"
    ).read_text("utf-8")
