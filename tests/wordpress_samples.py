"""Small export files of WordPress, written for the tests."""

from __future__ import annotations

from html import escape

NAMESPACES = (
    'xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:wp="http://wordpress.org/export/1.2/"'
)
HOST = "old.example"
HEAD = f"""
<title>The Old Paper</title><link>https://{HOST}</link><language>en-GB</language>
<wp:wxr_version>1.2</wp:wxr_version><wp:base_site_url>https://{HOST}</wp:base_site_url>
<wp:base_blog_url>https://{HOST}</wp:base_blog_url>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login>ama</wp:author_login>
<wp:author_email>ama@{HOST}</wp:author_email>
<wp:author_display_name><![CDATA[Ama Mensah]]></wp:author_display_name></wp:author>
"""


def export(*elements: str, head: str = HEAD, namespaces: str = NAMESPACES) -> bytes:
    """Return an export file with these elements after its head."""
    body = "\n".join(elements)
    text = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f'<rss version="2.0" {namespaces}><channel>{head}{body}</channel></rss>\n'
    )
    return text.encode("utf-8", "surrogateescape")


def cdata(text: str) -> str:
    """Return a text as WordPress writes it."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def item(post_id: int, *more: str, **fields: str) -> str:
    """Return a post; `fields` are elements of the namespace `wp`, but for a few; `more` is XML."""
    texts = {
        "title": f"Post {post_id}",
        "link": f"https://{HOST}/2024/05/post-{post_id}/",
        "content": "<p>Some words of the story.</p>",
        "creator": "ama",
        "post_date": "2024-05-01 12:00:00",
        "post_date_gmt": "2024-05-01 10:00:00",
        "post_name": f"post-{post_id}",
        "status": "publish",
        "post_type": "post",
        "guid": f"https://{HOST}/?p={post_id}",
    } | fields
    names = {"content": "content:encoded", "excerpt": "excerpt:encoded", "creator": "dc:creator"}
    names |= {name: name for name in ("title", "link", "guid", "pubDate", "description")}
    elements = (
        f"<{name}>{cdata(text)}</{name}>"
        for key, text in texts.items()
        for name in (names.get(key, f"wp:{key}"),)
    )
    return f"<item>{''.join(elements)}<wp:post_id>{post_id}</wp:post_id>{''.join(more)}</item>"


def meta(key: str, value: str) -> str:
    """Return a meta value."""
    return (
        f"<wp:postmeta><wp:meta_key>{cdata(key)}</wp:meta_key>"
        f"<wp:meta_value>{cdata(value)}</wp:meta_value></wp:postmeta>"
    )


def term(domain: str, slug: str, name: str) -> str:
    """Return a term of a post."""
    return f'<category domain="{domain}" nicename="{escape(slug)}">{cdata(name)}</category>'


def category(slug: str, name: str, parent: str = "") -> str:
    """Return a category of the site."""
    return (
        f"<wp:category><wp:category_nicename>{slug}</wp:category_nicename>"
        f"<wp:category_parent>{parent}</wp:category_parent>"
        f"<wp:cat_name>{cdata(name)}</wp:cat_name></wp:category>"
    )


def comment(text: str, **fields: str) -> str:
    """Return a comment."""
    texts = {
        "comment_content": text,
        "comment_author": "Reader",
        "comment_type": "comment",
    } | fields
    elements = "".join(f"<wp:{name}>{cdata(value)}</wp:{name}>" for name, value in texts.items())
    return f"<wp:comment>{elements}</wp:comment>"


def php_string(text: str) -> str:
    """Return a serialised string."""
    return f's:{len(text.encode())}:"{text}";'
