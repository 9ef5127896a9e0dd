"""An outage shows nothing that was withdrawn: nginx's copies are renewed in every encoding."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from spectator import publishing
from spectator.db import db
from spectator.front_copies import ENCODINGS
from spectator.models import User
from tests.drills.conftest import sites
from tests.drills.front import NAME, NGINX, Nginx, ask
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
        site.must_find(stories, 30, "the worker follows")
        try:
            nginx.start()
            for story in stories:
                for encoding in ENCODINGS:
                    assert story.token in ask(nginx.port, story.path, encoding).text
            with site.opened():
                by = db.session.query(User).filter_by(role="editor").one()
                publishing.withdraw(stories[0].id, by, "A court ordered it.")
            acted = time.monotonic()

            def are_renewed() -> bool:
                log = (nginx.home / "site.log").read_text("utf-8", "replace")
                return log.count(f'"{stories[0].path}" 410') >= len(ENCODINGS)

            eventually(are_renewed, ALLOWED_SECONDS, "every copy is renewed")
            assert time.monotonic() - acted < ALLOWED_SECONDS
            site.stop()
            for encoding in ENCODINGS:
                reply = ask(nginx.port, stories[0].path, encoding)
                assert (reply.status, f"{stories[0].token} is told" in reply.text) == (410, False), encoding
                assert stories[0].token not in ask(nginx.port, "/", encoding).text
                assert stories[1].token in ask(nginx.port, stories[1].path, encoding).text
        finally:
            nginx.stop()


def test_nobody_else_goes_past_the_cache(fresh_data: Path, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "deploy/nginx-shared.conf").read_text("utf-8")
    assert 'map "$realip_remote_addr $http_x_spectator_renew" $is_renewal' in text
    assert "proxy_cache_bypass $is_apart $is_renewal;" in (Path(__file__).parents[2] / "deploy/nginx.conf").read_text(
        "utf-8"
    )
