"""Pages and files of WordPress exports, and the receipt of the import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator.db import db
from spectator.models import Page
from tests.test_wordpress_import import Run, only_story
from tests.test_wordpress_import import run as run
from tests.test_wordpress_media import UPLOADS, attachment
from tests.test_wordpress_media import uploads as uploads
from tests.wordpress_samples import HOST, category, comment, export, item, meta, term

OLD = f"https://{HOST}"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def page(number: int, name: str, *more: str, **fields: str) -> str:
    """Return the item of a page."""
    texts = {"post_type": "page", "title": name.title(), "link": f"{OLD}/{name}/"}
    return item(number, *more, post_name=name, **texts | fields)


def pages() -> dict[str, Page]:
    """Return the stored pages by path."""
    db.session.rollback()
    db.session.expunge_all()
    return {page.path: page for page in db.session.scalars(select(Page))}


def test_pages_become_standing_pages_below_their_parents(run: Run, client: FlaskClient) -> None:
    data = export(
        page(21, "team", post_parent="20", link=f"{OLD}/imprint/team/"),
        page(20, "imprint", meta("_yoast_wpseo_metadesc", "Who &amp; where")),
        page(22, "plans", status="private"),
        page(23, "blog", content=""),
        page(24, "bin", status="trash"),
    )
    result = run(data)
    assert result.exit_code == 0, result.output
    assert "4 added" in result.output
    stored = pages()
    assert {path: page.status for path, page in stored.items()} == {
        "imprint": "published",
        "imprint/team": "published",
        "plans": "draft",
        "blog": "draft",
    }
    assert stored["imprint"].description == "Who & where"
    assert client.get("/imprint").status_code == 200
    assert client.get("/plans").status_code == 404
    assert client.get("/?page_id=21").headers["Location"].endswith("/imprint/team")
    assert client.get("/imprint/team/").status_code in {301, 308}
    assert "4 unchanged" in run(data).output


def test_pdf_files_are_stored_and_linked(run: Run, uploads: Path, client: FlaskClient) -> None:
    (uploads / "2024/05/report.pdf").write_bytes(PDF)
    body = f'<p>The <a href="{UPLOADS}/2024/05/report.pdf">report</a></p>'
    data = export(item(7, meta("_thumbnail_id", "9"), content=body), attachment(9, "report.pdf"))
    result = run(data, options=("--media", str(uploads)))
    assert result.exit_code == 0, result.output
    story = only_story()
    assert story.picture is None  # a PDF is no picture
    assert '<a href="/media/' in story.body
    response = client.get("/wp-content/uploads/2024/05/report.pdf")
    assert response.status_code == 301
    assert response.headers["Location"].endswith(".pdf")


def test_the_receipt_names_every_address_and_change(
    run: Run, uploads: Path, tmp_path: Path, client: FlaskClient
) -> None:
    path = tmp_path / "receipt.html"
    data = export(
        category("world", "World"),
        item(7, term("category", "world", "World"), term("post_tag", "gold", "Gold")),
        item(8, comment("Well said"), post_password="secret", title="Hidden words"),
        page(20, "imprint"),
        attachment(9, "port-scaled.jpg"),
        attachment(10, "gone.jpg"),
    )
    options = ("--media", str(uploads), "--receipt", str(path))
    result = run(data, options=options)
    assert result.exit_code == 0, result.output
    receipt = json.loads(path.with_suffix(".json").read_text())
    outcomes = {entry["address"]: entry for entry in receipt["addresses"]}
    answers = {address: entry["status"] for address, entry in outcomes.items()}
    assert answers["/2024/05/post-7/"] == answers["/?p=7"] == 301
    assert answers["/category/world/"] == answers["/tag/gold/"] == answers["/author/ama/"] == 301
    assert answers["/wp-content/uploads/2024/05/port-scaled.jpg"] == 301
    assert answers["/?p=8"] == 404
    lost = [address for address, entry in outcomes.items() if entry["problem"]]
    assert lost == ["/wp-content/uploads/2024/05/gone.jpg"]
    changes = {story["story"]: story["changes"] for story in receipt["stories"]}
    assert changes["post 8"] == ["Kept private: it has a password."]
    assert receipt["counts"]["post password"] == 1
    assert receipt["counts"]["comment comment"] == 1
    assert "secret" not in path.read_text()


@pytest.mark.parametrize("link", ["http://[", "https://old.example:x/", "javascript:alert(1)"])
def test_odd_links_stop_nothing(run: Run, link: str) -> None:
    head = f"<link>{link}</link><wp:base_blog_url>{link}</wp:base_blog_url>"
    data = export(item(7, link=link), attachment(9, "a.jpg"), head=head)
    data = data.replace(f"{UPLOADS}/2024/05/a.jpg".encode(), link.encode())
    assert run(data).exit_code == 0
    assert only_story().headline == "Post 7"
