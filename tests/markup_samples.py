"""Markup that editors, WordPress and attackers send, and how parsers read it."""

from __future__ import annotations

from html.parser import HTMLParser

import nh3
from hypothesis import strategies as st

from spectator.text.html.sanitizer import ATTRIBUTES, TAGS, URL_SCHEMES

VOID = {"br", "hr", "img", "col", "source", "track", "wbr"}

WORDPRESS = """<p>Intro with <a href="https://un.org/a?b=1&amp;c=2">a link</a> and a
note<sup id="fnref-1"><a href="#fn-1">1</a></sup>.</p>
<figure class="wp-block-image"><img src="/media/a/1.jpg" alt="Market" width="640" height="480">\
<figcaption>Lagos,
<em>2024</em></figcaption></figure>
<blockquote cite="https://au.int/"><p>Never again.</p><cite>A delegate</cite></blockquote>
<details><summary>Background</summary><p>Long ago.</p></details>
<table><caption>Votes</caption><thead><tr><th scope="col">Party</th></tr></thead>
<tbody><tr><td colspan="2">12<br>13</td></tr></tbody></table>
<ol start="3"><li>Three<ul><li>nested</li></ul></li></ol>
<h2 id="part-2">Part</h2><hr>
<p id="fn-1">A source. <a href="#fnref-1">back</a></p>"""

HOSTILE = (
    "<script>alert(1)</script>|<script|</script>|<style>p{}</style>|<svg onload=x>|<math>"
    "<mi>|<svg><style><img src=x "
    "onerror=y>|<!--|-->|<!-- <p> -->|<![CDATA[|<?php|<!doctype html>|"
    '<img src=x onerror=alert(1)>|<p hx-get="/x" '
    'data-hx-post=y onclick=z style="color:red">|<a href="javascript:alert(1)">|'
    '<a href="java\tscript:alert(1)">|'
    '<a href=" &#106;avascript:x">|<a href="vbscript:x">|<a href="data:text/html,x">|'
    '<iframe src="javascript:x">|'
    '<iframe srcdoc="<script>x</script>">|</iframe>|<video src="data:x" '
    'poster="javascript:x">|<form action=x>|'
    "<input name=q>|<textarea>|</textarea>|<template>|<noscript>|<title>|<plaintext>|<xmp>|"
    "<base href=x>|<meta http-equiv="
    'refresh content=0>|<b id=main>|<b id="a&amp;b">|<select>|<frameset>|<object data=x>|'
    '<a href="//evil.example/x">|'
    "<a href='\\/evil'>|<a href=\"|<a title='|<img alt=\"<p>\">|<a b=c/|=\"|'>|\x00|\x85|"
    "\u2028|\ufeff|\ud800"
).split("|")
PIECES = (
    "<p>|</p>|<p>One.</p>|\n|\n\n|\r\n|<br>|<br/>|</br>|<div>|</div>|<b>|</b>|<i>|</i>|"
    "<em lang=fr>|"
    '</em>|<a href="/x">|'
    '<a href="https://b.example/?a=1&amp;b">|</a>|<ul>|<ol>|<li>|</li>|</ul>|<dl>|<dt>|'
    "<dd>|<table>|"
    "<tr>|<td>|</td>|<th>|"
    "</table>|<caption>|<colgroup>|<col>|<tbody>|<thead>|<h1>|<h2>|</h2>|<h3>|<h5>|<pre>|<pre>\n\n|"
    "</pre>|<figure>|</figure>|"
    "<figcaption>|<blockquote>|</blockquote>|<details>|<summary>|</details>|<section>|"
    "<ruby>|<rt>|<hr>|"
    '<img src="/media/a/1.jpg" alt="Ours">|<img src="https://f.example/1.jpg" '
    'alt="Theirs &quot;&lt;">|<img>|'
    '<iframe src="https://www.youtube.com/embed/abcdefg">|'
    '<iframe src="/charts/1" title="Chart"></iframe>|</iframe>|'
    '<video src="/media/1.mp4" controls>|<video controls>|'
    '<source src="https://f.example/1.mp4">|<source src="/1.mp4">|'
    '</video>|<audio src="//f.example/a.mp3">|</audio>|<track src="/t.vtt">|word|two words|&amp;|'
    "&lt;b&gt;|&nbsp;|&|<|>|"
    "\"|'|&#0;|&#99999999;|&notin|a < b|<anna@example.com>|ọ̀rọ̀|e\u0301|\u0338|አዲስ አበባ።|"
    "مرحبا| |  \t "
).split("|")
# Markup that made comparisons of two versions slow when it was repeated thousands of times.
COMPARED_UNITS = (
    "<",
    "<a ",
    "<!--",
    "<b><p>",
    "<p><div>",
    "<video src=/x>",
    "<p>x</p>",
    "<p>a b a c a</p><p>b b a</p>",
)
# Markup that made cleaning slow or its result large when it was repeated thousands of times.
HOSTILE_UNITS = (
    "&|&a|&#|<|<a |<a href=\"|<b x='|<img src=|<!--|<!|<?|<b><p>|<b><i></b></i>|<div>|<p><div>|"
    "<a href=/x><p>x|<table>x|"
    "<table><tr><td>|<ul><li>|<video src=/x>|<video><source src=//f.example/x>|<iframe>|<script>|"
    "<svg>|</p>|\n|\u0301|a=b "
).split("|")

any_text = st.text(max_size=40)
any_markup = st.lists(st.sampled_from(PIECES + HOSTILE) | any_text, max_size=14).map("".join)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "a" and "a" in self.open:
            self.faults.append("a link in a link")
        if tag in {"p", "div"} and "p" in self.open_in_cell():
            self.faults.append(f"{tag} in a paragraph")
        if tag not in VOID:
            self.open.append(tag)

    def open_in_cell(self) -> list[str]:
        """Return the open elements inside the innermost table cell, or all without a cell."""
        if "td" not in self.open:
            return self.open
        return self.open[len(self.open) - self.open[::-1].index("td") :]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the elements of well-formed HTML with attributes; fail on wrong nesting."""
    parser = _Elements()
    parser.feed(html)
    parser.close()
    assert parser.faults == [] and parser.open == []
    return parser.elements


def tag_names(html: str) -> list[str]:
    return [name for name, _ in elements(html)]


def browser_markup(html: str) -> str:
    """Return HTML as a browser's parser repairs and serializes it."""
    more = {"class", "rel", "loading", "role", "tabindex", "aria-label"}
    attributes = {
        name: set(ATTRIBUTES.get(name, ())) | more | {"lang", "dir", "id"} for name in TAGS
    }
    return nh3.clean(
        html, tags=set(TAGS), attributes=attributes, url_schemes=set(URL_SCHEMES), link_rel=None
    )
