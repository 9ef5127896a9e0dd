"""No text is lost when the server, network, login, tab or form fails."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser import axe
from tests.browser.conftest import serve_site
from tests.browser.modules import module
from tests.browser.running_site import RunningSite, descendants
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
NEW_STORY_PATH = "/newsroom/stories/new"
DRAFTS = module("local_drafts")
IGNORED_ERRORS = (
    "net::ERR",
    "Failed to fetch",
    "NetworkError",
    "htmx:",
    "Response Status Error Code 500",
)
RETRY_MS = 5000  # of static/js/autosave.js
KEPT_MESSAGE = re.compile(r"(Not saved|Offline) – kept on this device at \d\d:\d\d")
SAVED_MESSAGE = re.compile(r"Saved\s+\d\d:\d\d:\d\d")


@pytest.fixture
def form_window(scripted_writer: Window) -> Window:
    """Editor's window at the form of a new story, in which network errors are expected."""
    scripted_writer.ignored_errors = IGNORED_ERRORS
    scripted_writer.open(NEW_STORY_PATH)
    return scripted_writer


@pytest.fixture
def killable_site(
    filled_data: tuple[Path, str], tmp_path: Path, site: RunningSite
) -> Iterator[RunningSite]:
    """Separate site, which a test may kill."""
    yield from serve_site(filled_data, tmp_path, htmx_url=site.htmx_url, htmx_file=site.htmx_file)


def type_text(page: Page, text: str) -> None:
    """Type at the end of the story, key by key."""
    editor = page.locator("#body-editor")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def open_with_clock(window: Window) -> Page:
    """Open the form of a new story with a clock that the test can advance."""
    window.page.clock.install()
    return window.open(NEW_STORY_PATH)


def let_retries_pass(page: Page, count: int) -> None:
    """Let the page's timers run until it would have tried this many times to send its text."""
    for _ in range(count):
        page.clock.run_for(RETRY_MS + 500)
        page.wait_for_timeout(500)  # until its requests would have been sent


def expect_status(page: Page) -> Any:
    return expect(page.locator("#save-status"))


def count_drafts(page: Page) -> int:
    """Return the number of unsaved local drafts in the browser."""
    count: int = page.evaluate(f"async () => (await {DRAFTS}.unsaved()).length")
    return count


def poll(page: Page, expression: str, seconds: float = 10.0) -> None:
    """Wait until an async expression is true in the page.

    `wait_for_function` is no alternative: the promise itself would count as true.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(Error):  # the page is navigating
            if page.evaluate(f"async () => {expression}"):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {seconds} s: {expression}")


def wait_until_no_local_draft(page: Page) -> None:
    """Wait until the browser stores no unsaved local draft."""
    poll(page, f"(await {DRAFTS}.unsaved()).length === 0")


def query_rows(site: RunningSite, query: str) -> list[Any]:
    with closing(
        sqlite3.connect(f"file:{site.data_dir}/spectator.db?mode=ro", uri=True)
    ) as connection:
        return connection.execute(query).fetchall()


def autosaved_text(site: RunningSite) -> str:
    return " ".join(row[0] for row in query_rows(site, 'SELECT "values" FROM autosave'))


def test_typed_text_is_autosaved_on_the_server_within_two_seconds(form_window: Window) -> None:
    page = form_window.page
    page.get_by_label("Headline").fill("Typed and never saved")
    type_text(page, "The words.")
    # Two seconds after the last key, and one round trip.
    expect_status(page).to_have_text(SAVED_MESSAGE, timeout=2600)
    assert "The words." in autosaved_text(form_window.site)
    expect(page.locator("#weight")).to_have_text(re.compile(r"^\d+ KB, \d\.\d s on 3G$"))
    wait_until_no_local_draft(page)
    assert query_rows(
        form_window.site, "SELECT count(*) FROM article WHERE headline LIKE 'Typed and%'"
    ) == [(0,)]


def test_text_typed_offline_is_kept_locally_and_sent_when_back_online(
    form_window: Window,
) -> None:
    page = form_window.page
    page.get_by_label("Headline").fill("Written in a bus")
    expect_status(page).to_have_text(SAVED_MESSAGE)
    page.context.set_offline(True)
    type_text(page, "Without a network.")
    expect_status(page).to_have_text(KEPT_MESSAGE)
    assert count_drafts(page) == 1
    assert "Without a network." not in autosaved_text(form_window.site)
    page.context.set_offline(False)
    expect_status(page).to_have_text(SAVED_MESSAGE)
    assert "Without a network." in autosaved_text(form_window.site)


@pytest.mark.parametrize("failure", ["500", "no response"])
def test_text_is_kept_locally_while_the_server_fails(form_window: Window, failure: str) -> None:
    page = form_window.page
    form_window.expected_statuses = {500}
    if failure == "500":
        page.route("**/autosave", lambda route: route.fulfill(status=500, body="<b>fault</b>"))
    else:
        page.route("**/autosave", lambda route: None)
    page.get_by_label("Headline").fill("Fails")
    expect_status(page).to_have_text(KEPT_MESSAGE, timeout=16_000)
    assert count_drafts(page) == 1
    page.unroute("**/autosave")
    expect_status(page).to_have_text(SAVED_MESSAGE, timeout=12_000)


def test_text_typed_after_the_login_expired_is_saved_after_the_next_login(
    form_window: Window,
) -> None:
    page = form_window.page
    page.get_by_label("Headline").fill("Before the login expired")
    # The form is submitted automatically after the next login.
    page.select_option("#section", "health")
    expect_status(page).to_have_text(SAVED_MESSAGE)
    page.context.clear_cookies()
    type_text(page, "After it.")
    expect_status(page).to_contain_text("you are logged out")
    assert count_drafts(page) == 1
    page.get_by_role("button", name="Save draft").click()
    expect_status(page).to_contain_text("Not sent: you are logged out. Kept on this device.")
    with page.expect_popup() as popup:
        page.locator("#save-status a").click()
    login = popup.value
    login.get_by_label("Email").fill("editor@news.example")
    login.get_by_label("Password").fill(form_window.site.password)
    login.get_by_role("button", name="Log in").click()
    login.wait_for_url("**/newsroom/stories/")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible(timeout=15_000)
    wait_until_no_local_draft(page)
    expect(page.locator("#body-editor")).to_contain_text("After it.")


def test_a_form_submitted_offline_is_sent_once_when_back_online(form_window: Window) -> None:
    page = form_window.page
    page.get_by_label("Headline").fill("Sent from a cellar")
    type_text(page, "No network down here.")
    page.select_option("#section", "health")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save draft").click()
    expect_status(page).to_contain_text(
        "Offline. Kept on this device; will send when you're back online."
    )
    page.get_by_role("button", name="Save draft").click()
    type_text(page, " One word more.")
    page.wait_for_timeout(1000)
    page.context.set_offline(False)
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible(timeout=15_000)
    expect(page.locator("#body-editor")).to_contain_text("One word more.")
    assert (
        query_rows(
            form_window.site, "SELECT count(*) FROM article WHERE headline = 'Sent from a cellar'"
        )[0][0]
        == 1
    )
    wait_until_no_local_draft(page)


def test_a_form_submitted_offline_can_be_cancelled(form_window: Window) -> None:
    page = open_with_clock(form_window)
    page.get_by_label("Headline").fill("Not to be sent")
    page.context.set_offline(True)
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("button", name="Cancel").click()
    page.context.set_offline(False)
    expect_status(page).to_have_text(SAVED_MESSAGE)
    let_retries_pass(page, 1)
    assert form_window.path == NEW_STORY_PATH


@pytest.mark.parametrize("runs_unload_handlers", [True, False])
def test_unsaved_text_of_a_closed_tab_is_offered_in_the_next(
    form_window: Window, runs_unload_handlers: bool
) -> None:
    page, again = form_window.page, form_window.page.context.new_page()
    context = page.context
    context.set_offline(True)
    page.get_by_label("Headline").fill("In a tab that was closed")
    type_text(page, "First paragraph.")
    expect_status(page).to_have_text(KEPT_MESSAGE)
    poll(page, f"JSON.stringify(await {DRAFTS}.unsaved()).includes('First paragraph.')")
    with page.expect_event("close"):
        page.close(run_before_unload=runs_unload_handlers)
    context.set_offline(False)
    form_window.page = again
    form_window.open(NEW_STORY_PATH)
    banner = again.get_by_role("region", name="saved only on this device")
    banner.get_by_text("Show both versions").click()
    expect(banner).to_contain_text("In a tab that was closed")
    assert axe.violations(again) == []
    banner.get_by_role("button", name="Restore").click()
    expect(again.get_by_label("Headline")).to_have_value("In a tab that was closed")
    expect(again.locator("#body-editor")).to_contain_text("First paragraph.")
    expect_status(again).to_have_text(SAVED_MESSAGE)
    wait_until_no_local_draft(again)


def test_a_discarded_local_draft_can_be_brought_back_for_30_days(form_window: Window) -> None:
    page = form_window.page
    page.context.set_offline(True)
    page.get_by_label("Headline").fill("Rubbish")
    expect_status(page).to_have_text(KEPT_MESSAGE)
    page.route("**/autosave", lambda route: route.abort())
    page.context.set_offline(False)
    form_window.open(NEW_STORY_PATH)
    banner = page.get_by_role("region", name="saved only on this device")
    for _ in range(2):  # it can be discarded and brought back again
        banner.get_by_role("button", name="Discard").click()
        expect(banner).to_have_count(0)
        expect(page.locator("#local-drafts")).to_contain_text(
            "discarded: “Rubbish”. This device keeps them for 30 days."
        )
        expect(page.get_by_role("button", name="Bring back")).to_be_focused()
        assert count_drafts(page) == 0  # a logout does not warn of it
        assert axe.violations(page) == []
        form_window.open(NEW_STORY_PATH)
        page.get_by_role("button", name="Bring back").click()
        expect(banner).to_have_count(1)
        assert count_drafts(page) == 1
    page.evaluate(
        f"""async () => {{
          const localDrafts = {DRAFTS};
          const [draft] = await localDrafts.unsaved();
          const discarded = Date.now() - 31 * 24 * 3600 * 1000;
          await localDrafts.save({{ ...draft, discarded }});
        }}"""
    )
    form_window.open(NEW_STORY_PATH)
    poll(page, f"(await {DRAFTS}.all()).length === 0")


def test_leaving_right_after_typing_warns_unless_the_text_is_stored_locally(
    form_window: Window,
) -> None:
    page = form_window.page
    page.get_by_label("Headline").fill("Left immediately")
    dialogs: list[str] = []

    def accept(dialog: Any) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    type_text(page, "Typed a moment ago.")
    expect_status(page).to_have_text(SAVED_MESSAGE)
    page.context.set_offline(True)
    page.keyboard.type(" The end.")
    page.context.set_offline(False)
    page.route("**/autosave", lambda route: route.abort())
    form_window.open(NEW_STORY_PATH)
    drafts = page.evaluate(f"async () => JSON.stringify(await {DRAFTS}.unsaved())")
    assert dialogs == ["beforeunload"] or "The end." in drafts


def test_texts_of_two_tabs_are_both_autosaved(form_window: Window) -> None:
    page, other = form_window.page, form_window.page.context.new_page()
    other.goto(form_window.site.url + NEW_STORY_PATH)
    page.get_by_label("Headline").fill("In the first tab")
    other.get_by_label("Headline").fill("In the second tab")
    for tab in (page, other):
        expect_status(tab).to_have_text(SAVED_MESSAGE)
    assert "In the first tab" in autosaved_text(form_window.site)
    assert "In the second tab" in autosaved_text(form_window.site)


def test_logging_out_warns_of_local_drafts_and_keeps_them(form_window: Window) -> None:
    page = form_window.page
    page.context.clear_cookies()  # other tests share the session, which a logout would end
    form_window.log_in()
    form_window.open(NEW_STORY_PATH)
    page.context.set_offline(True)
    page.get_by_label("Headline").fill("Only on this device")
    expect_status(page).to_have_text(KEPT_MESSAGE)
    page.route("**/autosave", lambda route: route.abort())
    page.context.set_offline(False)
    form_window.open("/newsroom/stories/")
    page.get_by_role("button", name="Log out").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("One story has text that is only on this device")
    assert axe.violations(page) == []
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Log out").click()
    dialog.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/newsroom/login**")
    form_window.log_in()
    form_window.open(NEW_STORY_PATH)
    expect(page.get_by_role("region", name="saved only on this device")).to_have_count(1)


def test_no_text_is_lost_when_the_server_is_killed(
    browser: Browser, killable_site: RunningSite
) -> None:
    with open_window(browser, killable_site) as window:
        window.ignored_errors, page = IGNORED_ERRORS, window.page
        window.log_in()
        window.open(NEW_STORY_PATH)
        page.get_by_label("Headline").fill("Over a power cut")
        type_text(page, "Before.")
        expect_status(page).to_have_text(SAVED_MESSAGE)
        pids = [*descendants(killable_site.process.pid), killable_site.process.pid]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        killable_site.process.wait()
        type_text(page, " In the dark.")
        expect_status(page).to_have_text(KEPT_MESSAGE, timeout=16_000)
        killable_site.start()
        expect_status(page).to_have_text(SAVED_MESSAGE, timeout=20_000)
        type_text(page, " After.")
        page.select_option("#section", "health")
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        expect(page.locator("#body-editor")).to_contain_text("Before. In the dark. After.")
