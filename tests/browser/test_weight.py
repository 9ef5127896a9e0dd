"""A page with its styles and structured data fits a connection's first round trip."""

from __future__ import annotations

import brotli
import pytest

from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import LONG_TEXT_BYTES, long_body

pytestmark = pytest.mark.browser

MAX_BYTES = (
    13_000  # one initial congestion window: 10 segments of 1,460 bytes, less TLS and headers
)


def test_the_long_text_is_as_long_as_promised() -> None:
    assert LONG_TEXT_BYTES <= len(long_body().encode()) <= LONG_TEXT_BYTES + 500


@pytest.mark.parametrize(
    "path", ["/", "/society/", "/politics/", "/opinion/long", "/culture/pictured", "/search?q=how"]
)
def test_a_page_weighs_little(path: str, site: RunningSite) -> None:
    html = site.get(path)
    assert b"<style>" in html
    weight = len(brotli.compress(html, quality=11))
    print(f"{path}: {len(html):,} bytes, {weight:,} in brotli")
    assert weight <= MAX_BYTES, f"{path} weighs {weight:,} bytes"
