"""Local drafts that an earlier version stored can be restored, discarded and deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_site import RunningSite
from tests.browser.test_autosave import NEW_STORY_PATH, SAVED_MESSAGE, poll
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
DAY_MS = 24 * 3600 * 1000

# Store and read records as the scripts did until November 2026, without the present scripts.
# The store `copies` has local drafts, their key `copy` is a form_id; browsers have these old names.
PUT = """
records => new Promise((resolve, reject) => {
  const request = indexedDB.open("newsroom", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("copies", { keyPath: "id" });
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const transaction = request.result.transaction("copies", "readwrite");
    for (const record of records) transaction.objectStore("copies").put(record);
    transaction.oncomplete = () => { request.result.close(); resolve(); };
  };
})"""
READ = """new Promise((resolve, reject) => {
  const request = indexedDB.open("newsroom", 1);
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const all = request.result.transaction("copies").objectStore("copies").getAll();
    all.onsuccess = () => { request.result.close(); resolve(all.result); };
  };
})"""


@pytest.fixture
def editor_window(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of a logged-in editor."""
    with open_window(browser, site, storage_state=editor_state) as window:
        yield window


def old_record(user: str, form_id: str, **fields: Any) -> dict[str, Any]:
    """Return a record as the earlier scripts (commit c843aa8) stored it."""
    values = {
        "version": "",
        "copy": form_id,
        "headline": "Written before the upgrade",
        "dek": "One line below it.",
        "body": "<p>The text of <em>the old</em> scripts.</p>",
        "picture_token": "",
        "picture_alt": "",
        "picture_caption": "",
        "picture_credit": "",
        "section": "health",
        "authors": "Ama Mensah, Kofi Boateng",
        "countries": "Ghana",
        "topics": "Fishing; Ports, harbours;",
        "language": "en",
        "source_name": "Reuters",
        "source_url": "https://example.org/story",
        "slug": "",
    }
    record = {
        "id": f"{user}/new/{form_id}",
        "user": user,
        "story": "new",
        "copy": form_id,
        "version": "",
        "headline": values["headline"],
        "at": int(time.time() * 1000) - 60_000,
        "values": values,
        "wanted": "",
        "after": "",
    }
    return record | fields


def current_user(window: Window) -> str:
    """Return the user's id, read from a page without a story form."""
    window.open("/newsroom/stories/")
    user: str = window.page.locator("body").get_attribute("data-user") or ""
    return user


def test_a_draft_of_the_old_scripts_is_offered_restored_and_deleted(
    editor_window: Window,
) -> None:
    page, user = editor_window.page, current_user(editor_window)
    page.evaluate(PUT, [old_record(user, "0" * 35), old_record("999", "1" * 35)])
    editor_window.open(NEW_STORY_PATH)
    banner = page.get_by_role("region", name="saved only on this device")
    banner.get_by_text("Show both versions").click()
    expect(banner).to_contain_text("Written before the upgrade")
    expect(banner).to_contain_text("The text of the old scripts.")
    banner.get_by_role("button", name="Restore").click()
    expect(banner).to_have_count(0)
    expect(page.get_by_label("Headline")).to_have_value("Written before the upgrade")
    expect(page.locator("#body-editor i")).to_have_text("the old")
    expect(page.locator("#section")).to_have_value("health")
    expect(page.locator("#topics")).to_have_value("Fishing; Ports, harbours;")
    expect(page.locator("#save-status")).to_have_text(SAVED_MESSAGE)
    poll(
        page, f"(await {READ}).map(record => record.user).join() === '999'"
    )  # only the other user's remains


def test_old_drafts_are_deleted_once_on_the_server_or_30_days_after_discarding(
    editor_window: Window,
) -> None:
    page, user = editor_window.page, current_user(editor_window)
    now = int(time.time() * 1000)
    page.evaluate(
        PUT,
        [
            old_record(user, "a" * 35, discarded=now - DAY_MS),
            old_record(user, "b" * 35, discarded=now - 31 * DAY_MS),
            old_record(user, "c" * 35),  # the server reports it as stored
            old_record(user, "d" * 35, discarded=0),
        ],
    )
    editor_window.open(f"/newsroom/stories/?stored={'c' * 35}")
    remaining = "(await READ).map(record => record.copy[0]).sort().join('')".replace("READ", READ)
    poll(page, f"{remaining} === 'ad'")
    editor_window.open(NEW_STORY_PATH)
    expect(page.get_by_role("region", name="saved only on this device")).to_have_count(1)
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("region", name="saved only on this device")).to_have_count(2)


def test_new_drafts_have_the_same_keys_as_old_ones(editor_window: Window) -> None:
    """After a downgrade, the earlier scripts find the new drafts."""
    page, user = editor_window.page, current_user(editor_window)
    editor_window.ignored_errors = ("net::ERR", "Failed to fetch")
    editor_window.open(NEW_STORY_PATH)
    page.context.set_offline(True)
    page.get_by_label("Headline").fill("Of the new scripts")
    poll(page, f"(await {READ}).length === 1")
    [record] = page.evaluate(f"async () => await {READ}")
    page.context.set_offline(False)
    assert set(record) == set(old_record(user, record["copy"]))
    assert record["id"] == f"{user}/new/{record['copy']}" and record["user"] == user
    assert record["values"]["headline"] == record["headline"] == "Of the new scripts"
