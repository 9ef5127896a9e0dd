"""A page with its styles and structured data fits into a connection's first round trip."""

from __future__ import annotations

import brotli
import pytest

from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import LONG_TEXT_BYTES, long_body

pytestmark = pytest.mark.browser

# The initial congestion window: 10 segments of 1,460 bytes, less TLS and headers.
MAX_BYTES = 13_000


def test_the_long_story_has_20_000_bytes_of_text() -> None:
    assert LONG_TEXT_BYTES <= len(long_body().encode()) <= LONG_TEXT_BYTES + 500


@pytest.mark.parametrize(
    "path",
    ["/", "/society/", "/politics/", "/opinion/long", "/culture/pictured", "/search?q=how"],
)
def test_a_compressed_page_fits_into_the_first_round_trip(path: str, site: RunningSite) -> None:
    html = site.get(path)
    assert b"<style>" in html
    size = len(brotli.compress(html, quality=11))
    print(f"{path}: {len(html):,} bytes, {size:,} in brotli")
    assert size <= MAX_BYTES, f"{path} has {size:,} bytes"
