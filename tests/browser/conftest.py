"""Fixtures: running sites, Chromium, and windows of readers and editors.

A test with `reader` runs three times: with htmx 4, with htmx 2 and without JavaScript. A test with
`scripted_reader` runs twice, with htmx 4 and with htmx 2, and a test with `plain_reader` once,
without JavaScript.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from spectator import config
from tests.browser import sample_stories
from tests.browser.editor_pages import BOATS
from tests.browser.running_site import CHECKOUT, RunningSite, add_editor, spectator
from tests.browser.windows import Window, open_window

NODE_MODULES = CHECKOUT / "tests" / "node_modules"
HTMX_4 = NODE_MODULES / "htmx.org" / "dist" / "htmx.min.js"
HTMX_2 = NODE_MODULES / "htmx2" / "dist" / "htmx.min.js"
HTMX_2_URL = "https://cdn.jsdelivr.net/npm/htmx.org@2.0.11/dist/htmx.min.js"
EDITOR_FILES = {
    url: NODE_MODULES / name / "dist" / url.rpartition("/")[2]
    for (url, _), name in zip(config.EDITOR_SCRIPTS, ("dompurify", "squire-rte"), strict=True)
}
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
# The headless shell needs a third of the whole browser's CPU time; it has no back/forward cache.
WHOLE_CHROMIUM = shutil.which("chromium")
CHROMIUM = shutil.which("chromium-headless-shell") or WHOLE_CHROMIUM
CHROMIUM_ARGS = ["--no-sandbox", "--disable-dev-shm-usage"]
NO_BACK_FORWARD_CACHE = "--disable-back-forward-cache"  # one of Playwright's default arguments


@pytest.fixture(scope="session", autouse=True)
def needs_tools() -> None:
    """Skip all browser tests, with a reason, if `make tools` could not install what they need."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; `make tools` says how")
    for path in (HTMX_4, HTMX_2, AXE, *EDITOR_FILES.values()):
        if not path.is_file():
            pytest.skip(
                f"{path.relative_to(CHECKOUT)} is absent; `make tools` fetches it from npm"
            )


@pytest.fixture(scope="session")
def filled_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Data directory with demo and sample stories, for sites to copy; and the editor's password.

    The processes of a parallel run share it: the first one creates it.
    """
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "filled"
    directory.mkdir(exist_ok=True)
    data, password = directory / "data", directory / "password"
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not password.exists():
            spectator(data, "init")
            spectator(data, "demo")
            spectator(data, "import", "jsonl", str(sample_stories.write_stories(directory)))
            password.write_text(add_editor(data), encoding="utf-8")
    return data, password.read_text(encoding="utf-8")


def serve_site(
    filled: tuple[Path, str], directory: Path, **options: Any
) -> Iterator[RunningSite]:
    """Run a site on a copy of the filled data directory."""
    data, password = filled
    files = {url: path.read_bytes() for url, path in EDITOR_FILES.items()}
    site = RunningSite(
        Path(shutil.copytree(data, directory / "data")), password, cdn_files=files, **options
    )
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def site(
    filled_data: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """The site with its default htmx 4."""
    directory = tmp_path_factory.mktemp("site")
    yield from serve_site(
        filled_data, directory, htmx_url=config.HTMX_URL, htmx_file=HTMX_4.read_bytes()
    )


@pytest.fixture(scope="session")
def htmx_2_site(
    filled_data: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """The same site with htmx 2, as an operator may configure it."""
    file = HTMX_2.read_bytes()
    digest = base64.b64encode(hashlib.sha384(file).digest()).decode()
    settings = {"SPECTATOR_HTMX_URL": HTMX_2_URL, "SPECTATOR_HTMX_INTEGRITY": f"sha384-{digest}"}
    directory = tmp_path_factory.mktemp("htmx-2-site")
    yield from serve_site(
        filled_data, directory, htmx_url=HTMX_2_URL, htmx_file=file, settings=settings
    )


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, which drives browsers."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
    yield browser
    browser.close()


@pytest.fixture
def back_forward_cache_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with its back/forward cache, which Playwright otherwise switches off."""
    if WHOLE_CHROMIUM is None:
        pytest.skip("Chromium is not installed; `make tools` says how")
    browser = playwright.chromium.launch(
        executable_path=WHOLE_CHROMIUM,
        args=CHROMIUM_ARGS,
        ignore_default_args=[NO_BACK_FORWARD_CACHE],
    )
    yield browser
    browser.close()


@pytest.fixture(params=["htmx 4", "htmx 2", "no script"])
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Window]:
    """Reader's window: in turn with htmx 4, with htmx 2 and without JavaScript."""
    running_site: RunningSite = request.getfixturevalue(
        "htmx_2_site" if request.param == "htmx 2" else "site"
    )
    with open_window(browser, running_site, has_script=request.param != "no script") as window:
        yield window


@pytest.fixture(params=["htmx 4", "htmx 2"])
def scripted_reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Window]:
    """Reader's window: in turn with htmx 4 and with htmx 2."""
    running_site: RunningSite = request.getfixturevalue(
        "htmx_2_site" if request.param == "htmx 2" else "site"
    )
    with open_window(browser, running_site) as window:
        yield window


@pytest.fixture
def plain_reader(browser: Browser, site: RunningSite) -> Iterator[Window]:
    """Reader's window without JavaScript."""
    with open_window(browser, site, has_script=False) as window:
        yield window


@pytest.fixture(params=["script", "no script"])
def editor_window(
    request: pytest.FixtureRequest, browser: Browser, site: RunningSite
) -> Iterator[Window]:
    """Window of a logged-in editor, with and without JavaScript."""
    with open_window(browser, site, has_script=request.param == "script") as window:
        window.log_in()
        yield window


def logged_in_state(browser: Browser, site: RunningSite) -> Any:
    """Log in as the editor; return the cookies."""
    with open_window(browser, site) as window:
        window.log_in()
        return window.page.context.storage_state()


@pytest.fixture(scope="session")
def editor_state(browser: Browser, site: RunningSite) -> Any:
    """Cookies of a logged-in editor, for windows that skip the login page."""
    return logged_in_state(browser, site)


@pytest.fixture(scope="session")
def htmx_2_editor_state(browser: Browser, htmx_2_site: RunningSite) -> Any:
    """The same for the site with htmx 2."""
    return logged_in_state(browser, htmx_2_site)


@pytest.fixture(params=["htmx 4", "htmx 2"])
def scripted_writer(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Window]:
    """Window of a logged-in editor: in turn with htmx 4 and with htmx 2."""
    prefix = "htmx_2_" if request.param == "htmx 2" else ""
    running_site, state = map(request.getfixturevalue, (f"{prefix}site", f"{prefix}editor_state"))
    with open_window(browser, running_site, storage_state=state) as window:
        yield window


@pytest.fixture
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of a logged-in editor on a site with a picture that texts refer to."""
    with open_window(browser, site, storage_state=editor_state) as window:
        window.page.route("**/media/boats.jpg", lambda route: route.fulfill(path=BOATS))
        yield window
