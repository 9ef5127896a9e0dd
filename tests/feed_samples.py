"""Small feeds, written for the tests."""

from __future__ import annotations

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Sahel Wire</title><link>https://www.wire.example/</link>
<atom:link rel="self" href="https://www.wire.example/feed.xml"/><language>en-GB</language>
<image><url>https://wire.example/logo.png</url><title>Logo</title></image>
{items}
</channel></rss>"""
RSS_ITEM = """<item><title>Rain &amp;amp; relief</title><link>https://wire.example/2026/rain/</link>
<guid isPermaLink="false">wire-{number}</guid><dc:creator>Ama Mensah</dc:creator>
<dc:creator>Kofi Osei</dc:creator><category>Weather</category><category>Health</category>
<pubDate>Mon, 02 Nov 2026 08:30:00 +0200</pubDate>
<description><![CDATA[<p>The rains came early [&#8230;]</p>
<p>The post Rain appeared first on Sahel Wire.</p>]]></description>
<content:encoded><![CDATA[<p>The rains came early in <a href="/niger">Niger</a>.</p>
<p><img src="/rain.jpg" alt="Rain"></p>]]></content:encoded>
<enclosure url="https://wire.example/lead.jpg" type="image/jpeg" length="1"/>
<enclosure url="https://wire.example/talk.mp3" type="audio/mpeg" length="1"/>
<media:group><media:thumbnail url="https://wire.example/small.jpg"/></media:group>
{more}</item>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://old.example/"><title>Old Wire</title><link>https://old.example/</link>
</channel>
<item rdf:about="https://old.example/1"><title>One</title><link>https://old.example/1</link>
<description>Plain text of &lt;one&gt; &amp;amp; more.</description>
<dc:date>2026-11-02T06:30:00Z</dc:date><dc:creator>Efua</dc:creator><dc:subject>Gold</dc:subject>
</item></rdf:RDF>"""
ATOM = """<?xml version="1.0"?>
<a:feed xmlns:a="http://www.w3.org/2005/Atom" xml:lang="fr" xml:base="https://atom.example/base/">
<a:title type="html">Courrier &amp;lt;b&gt;x</a:title><a:link href="https://atom.example/"/>
<a:author><a:name>Rédaction</a:name></a:author>
<a:entry><a:id>tag:atom.example,2026:1</a:id><a:title type="xhtml"><x:div
 xmlns:x="http://www.w3.org/1999/xhtml">Le <x:em>prix</x:em> de l’or</x:div></a:title>
<a:link rel="alternate" href="or.html"/><a:link rel="enclosure" type="image/png" href="or.png"/>
<a:category term="or" label="L’or"/><a:published>2026-11-02T06:30:00Z</a:published>
<a:updated>2026-11-03T06:30:00Z</a:updated><a:summary>Une hausse.</a:summary>
<a:content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>Le prix &lt; 3 000<x:br/>
monte.</x:p></x:div></a:content></a:entry></a:feed>"""


def rss(*items: str) -> bytes:
    """Return an RSS feed with these items."""
    return RSS.format(items="\n".join(items)).encode()


def item(number: int = 1, more: str = "") -> str:
    """Return an item with all elements that are read."""
    return RSS_ITEM.format(number=number, more=more)
