"""Cleaning of body HTML for storage, and extraction of its plain text."""

from __future__ import annotations

import re

import nh3

from spectator.text.html.editor_notes import EDITOR_NOTE, without_notes
from spectator.text.html.tokenizer import BREAKS, decode_entities, tokens
from spectator.text.html.well_formed import make_well_formed
from spectator.text.words.language_tags import is_language_tag
from spectator.text.words.normalization import normalize_text

# The visible elements that word processors and WordPress produce, and notes to editors. Other tags
# are removed, and their text stays.
TAGS = frozenset(
    "p br wbr hr h2 h3 h4 strong b em i u s mark small sub sup abbr cite q blockquote pre"
    " code kbd samp var dfn ul ol li dl dt dd a img figure figcaption table caption"
    " colgroup col thead tbody tfoot tr th td details summary iframe video audio source"
    f" track time span div ins del bdi bdo ruby rt rp {EDITOR_NOTE}".split()
)
ATTRIBUTES: dict[str, frozenset[str]] = {
    "*": frozenset({"lang", "dir", "id"}),
    "a": frozenset({"href", "title"}),
    "abbr": frozenset({"title"}),
    "audio": frozenset({"src", "controls"}),
    "blockquote": frozenset({"cite"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "del": frozenset({"cite", "datetime"}),
    "details": frozenset({"open"}),
    "dfn": frozenset({"title"}),
    "iframe": frozenset({"src", "title", "width", "height"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "ins": frozenset({"cite", "datetime"}),
    "li": frozenset({"value"}),
    "ol": frozenset({"start", "reversed", "type"}),
    "q": frozenset({"cite"}),
    "source": frozenset({"src", "type"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "time": frozenset({"datetime"}),
    "track": frozenset({"src", "kind", "srclang", "label"}),
    "video": frozenset({"src", "controls", "poster", "width", "height"}),
}
# URLs without a scheme are also allowed, even those that start with "//".
URL_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

MAX_PASSES = 6

# Attributes whose values are URLs, and those whose values are numbers.
_URLS = frozenset({"href", "src", "poster", "cite"})
_SCHEME = re.compile(r"([^/?#]*?):")
_NUMBERS = frozenset({"width", "height", "colspan", "rowspan", "span"})
_NUMBER = re.compile(r"[0-9]{1,4}%?")
# An id with a digit or one of `-_:.`, as footnotes have. The site's own ids are plain words, so a
# body can have none of them, nor one that replaces a script's variable (“DOM clobbering”).
_ID = re.compile(r"(?=[A-Za-z_]*[-0-9:._])[A-Za-z_][\w:.-]{0,99}", re.ASCII)
# nh3 copies the whole text for every entity that it writes, so these characters are replaced by
# placeholders before it and by entities after it. The placeholders are noncharacters of Unicode,
# which normalized text does not contain.
_PLACEHOLDERS = (("&", "\ufdd0"), ("<", "\ufdd1"), (">", "\ufdd2"), ("\xa0", "\ufdd3"))
_REFERENCES = (("\ufdd0", "&amp;"), ("\ufdd1", "&lt;"), ("\ufdd2", "&gt;"), ("\ufdd3", "&nbsp;"))
# Clean paragraphs: no other tag, no attribute, and only the entities that cleaning writes.
_CLEAN_PARAGRAPHS = re.compile(
    r"(?:<p>(?:[^<>&\xa0]++|<br>|&(?:amp|lt|gt|nbsp);)*+</p>[ \n]*+)++"
)
# In plain text, a line ends at these elements and at `BREAKS`.
_OTHER_BREAKS = frozenset({"br", "iframe", "video", "audio"})
_SPACE = re.compile(r"[ \t\n\f\r]+")
_INVISIBLE_IN_URLS = str.maketrans("", "", "\t\n\r")


def _clean_attribute(_tag: str, name: str, value: str) -> str | None:
    """Return the value of an allowed attribute, or None to drop it."""
    is_invalid = (
        (name == "id" and not _ID.fullmatch(value))
        or (name in _NUMBERS and not _NUMBER.fullmatch(value))
        or (name == "dir" and value.lower() not in {"ltr", "rtl", "auto"})
        or (name == "lang" and not is_language_tag(value))
    )
    if is_invalid:
        return None
    if name not in _URLS:
        return value
    # Browsers ignore tabs and line ends in a URL, so "/<tab>/host" looks like a local URL but leads
    # to another site.
    url = value.translate(_INVISIBLE_IN_URLS).strip()
    # nh3 itself checks the scheme of href and src, but not of cite.
    scheme = _SCHEME.match(url)
    return None if scheme and scheme[1].lower() not in URL_SCHEMES else url


_SANITIZER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    attribute_filter=_clean_attribute,
    url_schemes=URL_SCHEMES,
    link_rel="noopener",
    clean_content_tags={"script", "style"},
)


def clean_html(html: str) -> str:
    """Return HTML that is safe to store: allowed tags and attributes, NFC, well-formed, trimmed.

    Ids stay if they look like those of footnotes (`_ID`). Cleaning is idempotent: it is repeated
    until nothing changes, and HTML that still changes after `MAX_PASSES` becomes plain text.
    """
    if _CLEAN_PARAGRAPHS.fullmatch(html) and normalize_text(html) == html:
        # The usual case: an editor saves a stored body again.
        return html.rstrip()
    for _ in range(MAX_PASSES):
        cleaned = _clean_once(html)
        if cleaned == html:
            return cleaned
        html = cleaned
    return _text_only(html)


def _clean_once(html: str) -> str:
    html = make_well_formed(
        normalize_text(html),
        TAGS,
        lambda text: _replace_all(decode_entities(text), _PLACEHOLDERS),
    )
    return _replace_all(_SANITIZER.clean(html), _REFERENCES).strip()


def _replace_all(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """Replace characters one after the other: for a few, ten times as fast as translate()."""
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def escape_text(text: str) -> str:
    """Return what `clean_html` would for normalized text without `<` and `&`."""
    return text.replace(">", "&gt;").replace("\xa0", "&nbsp;")


def _text_only(html: str) -> str:
    text = (
        normalize_text(plain_text(html))
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return _SANITIZER.clean(text).strip()  # which changes nothing, unless a line above is wrong


def plain_text(html: str) -> str:
    """Return the visible text of any HTML: a line for each block or `<br>`, spaces collapsed.

    Entities are decoded. Scripts, styles, the content of iframes and notes to editors are left out.
    Never raises; takes linear time.
    """
    bare = (
        html.replace("\n", " ").replace("<p>", "\n").replace("</p>", "\n").replace("<br>", "\n")
    )
    # Most bodies are only paragraphs; the tokenizer would take ten times as long.
    text = decode_entities(bare if "<" not in bare else _text_with_line_breaks(html))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _text_with_line_breaks(html: str) -> str:
    """Return the undecoded text of HTML, with a line break for each tag that breaks the line."""
    pieces: list[str] = []
    for token in without_notes(tokens(html)):
        if isinstance(token, str):
            pieces.append(_SPACE.sub(" ", token))
        elif token.name in BREAKS or token.name in _OTHER_BREAKS:
            pieces.append("\n")
        elif token.name in {"td", "th"}:
            pieces.append(" ")
    return "".join(pieces)
