"""Sample rows of every table in its newest form; an older schema takes the columns that it has.

A new table needs rows here, parents before children; a new column needs a value only if its
default is not worth a test.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
PASSWORD = "a password of 2026"
_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$VxI22C2DiOEK/7EsuYppsQ$"
    "uM7kA8D/eIorEontzLZdc0vTLqDWjHUm5qv78iHBVEs"
)
_EARLY, _LATE = "2026-01-02 08:00:00.000000", "2026-01-03 09:30:00.000123"
_DIGEST = "ab" * 16
_PICTURE = f'<figure><img src="/media/ab/{_DIGEST}-640.jpg" alt="A port"></figure>'


def _article(number: int, status: str, slug: str, **values: Any) -> Row:
    published_at = None if status == "draft" else _EARLY
    return {
        "id": number,
        "external_id": f"source:{number}",
        "form_key": f"form-{number}",
        "headline": f"Headline {number} – “quoted”, Ṣẹ́gun’s",
        "kind": "news",
        "kicker": "",
        "dek": "A standfirst; with 'quotes'",
        "slug": slug,
        "language": "sw",
        "status": status,
        "excerpt": "Bandari ya Mombasa",
        "word_count": 3,
        "source_name": "Reuters",
        "source_url": "https://source.example/1?a=1&b=%41",
        "published_at": published_at,
        "updated_at": None,
        "created_at": _EARLY,
        "saved_at": _LATE,
        "withdrawn_at": None,
        "withdrawn_reason": "",
        "version": 3,
        "section_id": 1,
        "created_by_id": 1,
        "picture_id": None,
        "picture_alt": "",
        "picture_caption": "",
        "picture_credit": "",
        "search_title": "",
        "search_description": "",
        "share_picture": "",
        "feed_id": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}",
        "body": f"<p>Bandari ya Mombasa {number}</p>",
        **values,
    }


def _revision(number: int, article_id: int, action: str, note: str = "") -> Row:
    content = {"headline": f"Headline {article_id}", "body": "<p>Then</p>", "authors": ["Amina"]}
    return {
        "id": 10 * article_id + number,
        "article_id": article_id,
        "number": number,
        "version": number,
        "action": action,
        "note": note,
        "content": content,
        "made_at": _LATE if note else _EARLY,
        "made_by_id": 1,
    }


def _page(number: int, status: str, path: str, parent_id: int | None, **values: Any) -> Row:
    return {
        "id": number,
        "external_id": f"source:page:{number}",
        "form_id": f"page-form-{number}",
        "parent_id": parent_id,
        "path": path,
        "title": f"Page {number}",
        "description": "",
        "language": "en",
        "status": status,
        "version": 2,
        "created_at": _EARLY,
        "saved_at": _LATE,
        "published_at": None if status == "draft" else _EARLY,
        "updated_at": None,
        "withdrawn_at": None,
        "withdrawn_reason": "",
        "body": f"<p>Page {number}</p>",
        **values,
    }


def _lists(*article_ids: int) -> list[Row]:
    return [
        {
            "kind": kind,
            "key": key,
            "published_at": _EARLY,
            "article_id": article_id,
            "language": "sw",
        }
        for article_id in article_ids
        for kind, key in (("section", 1), ("month", 202601))
    ]


def _name(number: int, slug: str, name: str, folded_form: str) -> Row:
    forms = {"ascii_form": slug, "folded_form": folded_form}
    return {"id": number, "slug": slug, "name": name, **forms}


_NAMED_LISTS = [("author", 1), ("country", 1), ("topic", 1)]
_PUBLIC_LISTS = [("section", 1), ("month", 202601), *_NAMED_LISTS, ("topic", 2)]

SAMPLES: dict[str, list[Row]] = {
    "author": [_name(1, "amina-bello", "Amina Bello", "amina bello")],
    "country": [{"id": 1, "code": "KE", "slug": "kenya", "name": "Kenya"}],
    "login_attempt": [
        {"id": 1, "email": "a@b.example", "address": "::1", "at": _EARLY, "device_hash": ""}
    ],
    "outbox": [
        {"seq": 1, "article_id": 1, "action": "publish", "at": _EARLY},
        {"seq": 2, "article_id": 2, "action": "withdraw", "at": _EARLY},
        {"seq": 3, "article_id": 5, "action": "publish", "at": _LATE, "request_id": "f" * 32},
    ],
    "section": [
        {
            "id": 1,
            "slug": "politics",
            "name": "Politics",
            "description": "Who holds power",
            "position": 1,
        }
    ],
    "topic": [
        _name(1, "ports", "Ports", "ports"),
        _name(2, "cote-divoire", "Côte d’Ivoire", "cote d’ivoire"),
    ],
    "user": [
        {
            "id": 1,
            "email": "editor@news.example",
            "name": "Édith O'Brien",
            "role": "editor",
            "password_hash": _HASH,
            "is_active": True,
            "created_at": _EARLY,
            "failed_logins": 2,
        }
    ],
    "picture": [
        {
            "id": 1,
            "digest": _DIGEST,
            "extension": "jpg",
            "width": 1200,
            "height": 800,
            "byte_size": 123456,
            "created_at": _EARLY,
            "created_by_id": 1,
            "was_public": True,
        }
    ],
    "user_session": [
        {
            "id": 1,
            "token_hash": "c" * 64,
            "user_id": 1,
            "created_at": _EARLY,
            "seen_at": _LATE,
            "failed_logins": 0,
        }
    ],
    "article": [
        _article(
            1,
            "published",
            "the-port",
            kind="opinion",
            kicker="Analysis",
            updated_at=_LATE,
            picture_id=1,
            picture_alt="A port",
            picture_caption="The port",
            picture_credit="Juma",
            search_title="The port of Mombasa",
            search_description="What happens at the port",
            share_picture="/media/ab/ab" + "0" * 30 + "-320.jpg",
        ),
        _article(2, "withdrawn", "a-mistake", withdrawn_at=_LATE, withdrawn_reason="Not true"),
        _article(3, "draft", "a-draft"),
        _article(4, "scheduled", "later", published_at="2099-01-02 08:00:00.000000"),
        _article(
            5,
            "published",
            "the-picture",
            body=_PICTURE,
            translation_of_id=1,
            original_version=2,
        ),
    ],
    "article_author": [{"article_id": 1, "position": 0, "author_id": 1}],
    "article_country": [{"article_id": 1, "country_id": 1}],
    "article_topic": [{"article_id": 1, "topic_id": 1}, {"article_id": 2, "topic_id": 2}],
    "correction": [
        {
            "id": 1,
            "article_id": 1,
            "text": "An earlier version named another port.",
            "kind": "correction",
            "made_at": _LATE,
        }
    ],
    "redirect": [{"slug": "the-old-port", "article_id": 1}],
    "revision": [
        _revision(1, 1, "publish"),
        _revision(2, 1, "correct", "An earlier version named another port."),
        _revision(1, 2, "withdraw"),
        _revision(1, 3, "save"),
    ],
    "autosave": [
        {
            "id": 1,
            "user_id": 1,
            "article_id": 3,
            "copy": "form-3",
            "version": 3,
            "values": {"headline": "Unsaved – ünsaved", "body": "<p>More</p>"},
            "saved_at": _LATE,
            "discarded_at": None,
        }
    ],
    "presence": [{"article_id": 3, "user_id": 1, "seen_at": _LATE}],
    "preview_link": [
        {
            "id": 1,
            "article_id": 3,
            "token_hash": "d" * 64,
            "nonce": "nonce",
            "made_by_id": 1,
            "made_at": _EARLY,
            "expires_at": "2099-01-01 00:00:00.000000",
            "revoked_at": None,
        }
    ],
    "follower": [{"name": "related", "position": 3}],
    "related": [{"article_id": 1, "position": 0, "related_id": 5, "score": 0.5}],
    "related_choice": [
        {"article_id": 1, "related_id": 5, "kind": "pin", "made_at": _LATE, "made_by_id": 1}
    ],
    "search_count": [
        {"day": "2026-01-02", "text": "mombasa", "times": 4, "hits": 2, "milliseconds": 31}
    ],
    "traffic_hour": [{"hour": _EARLY, "requests": 1200, "errors": 3, "slow": 1}],
    "listed": [
        *_lists(1, 5),
        *(
            {
                "kind": kind,
                "key": key,
                "published_at": _EARLY,
                "article_id": 1,
                "language": "sw",
            }
            for kind, key in _NAMED_LISTS
        ),
    ],
    "language_count": [
        {"kind": kind, "key": key, "language": "sw", "number": number}
        for kind, key, number in (
            *((kind, key, 1) for kind, key in _NAMED_LISTS),
            ("section", 1, 2),
            ("month", 202601, 2),
        )
    ],
    "story_count": [
        *({"kind": kind, "key": key, "number": 1} for kind, key in _NAMED_LISTS),
        {"kind": "section", "key": 1, "number": 2},
        {"kind": "month", "key": 202601, "number": 2},
    ],
    "known_client": [{"user_id": 1, "kind": "device", "value": "e" * 64, "seen_at": _LATE}],
    "derivation": [{"name": "lists", "zone": "UTC"}],
    "opened_list": [{"kind": kind, "key": key} for kind, key in _PUBLIC_LISTS],
    "name_translation": [
        {
            "kind": "section",
            "owner_id": 1,
            "language": "fr",
            "name": "Politique d’Afrique",
            "description": "Le pouvoir",
            "words": "politique d afrique",
        }
    ],
    "former_name": [{"kind": "author", "part": "name", "value": "A. Bello", "owner_id": 1}],
    "import_state": [
        {"article_id": 1, "version": 3, "taken_at": _LATE, "given": {"headline": "f" * 16}}
    ],
    "host": [
        {
            "id": "ab" * 8,
            "name": "web-1:/var/lib/spectator",
            "live_until": _LATE,
            "outbox_offset": 1,
            "searches_counted": 7,
            "repaired_on": "2026-01-03",
            "settings": {"TIMEZONE": "cd" * 16},
        }
    ],
    "old_address": [
        {
            "address": "/2019/05/bandari",
            "kind": "article",
            "target_id": 1,
            "target": "",
            "is_manual": False,
            "created_at": _LATE,
        }
    ],
    "missing_page": [{"day": "2026-01-02", "path": "/mombasa", "times": 3}],
    "lease": [{"name": "leader", "host_id": "ab" * 8, "expires_at": _LATE}],
    "page": [
        _page(1, "published", "about", None),
        _page(2, "withdrawn", "about/history", 1, withdrawn_at=_LATE, withdrawn_reason="Old"),
        _page(3, "draft", "contact", None, body=_PICTURE),
    ],
    "page_revision": [
        {
            "id": 1,
            "page_id": 1,
            "number": 1,
            "version": 1,
            "action": "publish",
            "note": "",
            "content": {"title": "Page 1", "body": "<p>Then</p>", "slug": "about"},
            "made_at": _EARLY,
            "made_by_id": 1,
        }
    ],
    "page_redirect": [{"path": "about-us", "page_id": 1}],
    "page_picture": [{"page_id": 3, "picture_id": 1}],
    "page_import": [{"page_id": 3, "imported_at": _LATE, "source_values": {"title": "f" * 8}}],
    "menu_entry": [{"menu": "footer", "page_id": 1, "position": 1, "label": ""}],
    "picture_use": [{"article_id": 1, "picture_id": 1}, {"article_id": 5, "picture_id": 1}],
    "search_index": [
        {
            "name": "public",
            "generation": 1,
            "format": 1,
            "position": 9,
            "documents": 1,
            "newest": 1,
            "leased_until": None,
        }
    ],
}
# What code wrote before a migration replaced it: the last schema, and the value.
FORMER_VALUES = {("article", "language"): ("0014", "Swahili")}


def rows_of(version: str, table: str, columns: set[str]) -> list[Row]:
    """Return the rows that code of a schema version wrote into the columns of a table."""
    rows = [{n: value for n, value in row.items() if n in columns} for row in SAMPLES[table]]
    for (former_table, name), (last_version, value) in FORMER_VALUES.items():
        if table == former_table and version <= last_version:
            rows = [row | {name: value} for row in rows]
    return rows
