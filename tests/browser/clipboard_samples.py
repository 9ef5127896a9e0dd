"""HTML that word processors and web pages put on the clipboard, and the clean HTML of a paste.

Each sample has its program's peculiarities: Word's unquoted attributes and conditional comments,
the bold wrapper of Google Docs that is not bold, the one-item lists of Word for the web.
"""

from __future__ import annotations


def lines(*blocks: str) -> str:
    """Return blocks as one body."""
    return "\n".join(blocks)


def word_item(level: int, list_number: int, marker: str, text: str, font: str = "Symbol") -> str:
    """Return a list item as Word for Windows writes it: a paragraph that begins with a marker."""
    indent = 36 * level
    mso_list = f"mso-list:l{list_number - 1} level{level} lfo{list_number}"
    return f"""<p class=MsoListParagraphCxSpMiddle style='margin-left:{indent}.0pt;mso-add-space:
auto;text-indent:-18.0pt;{mso_list}'><![if !supportLists]><span
lang=EN-GB style='font-family:{font};mso-fareast-font-family:{font};mso-bidi-font-family:
{font}'><span style='mso-list:Ignore'>{marker}<span
style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;
</span></span></span><![endif]><span lang=EN-GB>{text}<o:p></o:p></span></p>
"""


WORD_HEAD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"
xmlns:w="urn:schemas-microsoft-com:office:word"
xmlns="http://www.w3.org/TR/REC-html40">

<head><meta http-equiv=Content-Type content="text/html; charset=utf-8">
<meta name=Generator content="Microsoft Word 15">
<link rel=File-List href="file:///C:/Users/ama/AppData/Local/Temp/msohtmlclip1/01/clip_filelist.xml">
<!--[if gte mso 9]><xml>
 <w:WordDocument><w:View>Normal</w:View></w:WordDocument>
</xml><![endif]-->
<style>
<!--
 /* Style Definitions */
 p.MsoNormal, li.MsoNormal, div.MsoNormal
	{mso-style-unhide:no;
	margin:0cm;
	font-family:"Calibri",sans-serif;}
-->
</style>
</head>

<body lang=EN-GB link="#0563C1" vlink="#954F72" style='tab-interval:36.0pt;word-wrap:break-word'>
<!--StartFragment-->
"""
WORD_FOOT = """<!--EndFragment-->
</body>
</html>
"""
WORD = (
    WORD_HEAD
    + """
<p class=MsoTitle><span lang=EN-GB>The “night” ferry<o:p></o:p></span></p>

<h1><a name="_Toc1"><b style='mso-bidi-font-weight:normal'><span lang=EN-GB
style='mso-ansi-language:EN-GB'>Who
sails</span></b></a><span lang=EN-GB><o:p></o:p></span></h1>

<p class=MsoNormal><span lang=EN-GB style='mso-bidi-font-weight:bold'>The harbour’s </span><b
style='mso-bidi-font-weight:normal'><span lang=EN-GB>first </span></b><i><span
lang=EN-GB>boat</span></i><span
lang=EN-GB><span style='mso-spacerun:yes'>  </span>leaves at <b><i>six</i></b>, says <a
href="https://lake.example/hours?a=1&amp;b=2"><span
style='color:#0563C1'>the office</span></a>; H<sub>2</sub>O,
5<sup>th</sup>.<o:p></o:p></span></p>

<p class=MsoNormal><span lang=EN-GB><o:p>&nbsp;</o:p></span></p>

"""
    + word_item(1, 1, "·", "Nets")
    + word_item(2, 1, "o", "Small, <b>blue</b>", '"Courier New"')
    + word_item(3, 1, "§", "For <i>kapenta</i>", "Wingdings")
    + word_item(1, 1, "·", "Ice")
    + "<h3><span lang=EN-GB>Then<o:p></o:p></span></h3>"
    + word_item(1, 2, "3.", "Pay")
    + word_item(2, 2, "a.", "in cash")
    + word_item(2, 2, "b.", "by phone")
    + word_item(1, 2, "4.", "Board")
    + """
<table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0
 style='border-collapse:collapse;border:none'>
 <tr style='mso-yfti-irow:0;mso-yfti-firstrow:yes'>
  <td width=301 valign=top style='width:225.4pt;border:solid windowtext 1.0pt'>
  <p class=MsoNormal><b><span lang=EN-GB>Port<o:p></o:p></span></b></p>
  </td>
  <td width=301 colspan=2 valign=top style='width:225.4pt;border:solid windowtext 1.0pt'>
  <p class=MsoNormal><span lang=EN-GB>Boats<o:p></o:p></span></p>
  </td>
 </tr>
 <tr>
  <td><p class=MsoNormal>Keta</p></td><td><p class=MsoNormal>2</p><p
  class=MsoNormal>(one small)</p></td>
  <td><p class=MsoNormal><o:p>&nbsp;</o:p></p></td>
 </tr>
</table>

<p class=MsoNormal><!--[if gte vml 1]><v:shape id="p1" style='width:10pt'><v:imagedata
src="file:///C:/a.png"/></v:shape><![endif]--><![if
!vml]><img width=10 height=10 src="file:///C:/Users/ama/AppData/Local/Temp/msohtmlclip1/01/clip_image002.png"
alt="A boat" v:shapes="p1"><![endif]></p>

<p class=MsoNormal><span lang=YO style='mso-ansi-language:YO'>Ọkọ̀ ojú omi àkọ́kọ́
máa ń lọ ní aago mẹ́fà.<o:p></o:p></span></p>

<p class=MsoNormal dir=RTL style='text-align:right;direction:rtl;unicode-bidi:embed'><span
lang=AR-SA style='font-family:"Arial",sans-serif'>القارب الأول يغادر إلى </span><span
dir=LTR></span><span lang=EN-GB
dir=LTR>Suez</span><span dir=RTL></span><span lang=AR-SA> في السادسة.<o:p></o:p></span></p>

<p class=MsoNormal>One line<br>
and the next.<br clear=all style='page-break-before:always'></p>
"""
    + WORD_FOOT
)
WORD_EXPECTED = lines(
    "<h2>The “night” ferry</h2>",
    "<h2>Who sails</h2>",
    "<p>The harbour’s <strong>first</strong> <em>boat</em> leaves at <strong><em>six</em>"
    "</strong>, says "
    '<a href="https://lake.example/hours?a=1&amp;b=2">the office</a>; H<sub>2</sub>O, 5'
    "<sup>th</sup>.</p>",
    "<ul><li>Nets<ul><li>Small, <strong>blue</strong><ul><li>For <em>kapenta</em></li>"
    "</ul></li></ul></li>"
    "<li>Ice</li></ul>",
    "<h3>Then</h3>",
    '<ol start="3"><li>Pay<ol><li>in cash</li><li>by phone</li></ol></li><li>Board</li></ol>',
    '<table><tbody><tr><td><strong>Port</strong></td><td colspan="2">Boats</td></tr>'
    "<tr><td>Keta</td><td><p>2</p><p>(one small)</p></td><td></td></tr></tbody></table>",
    '<p lang="yo">Ọkọ̀ ojú omi àkọ́kọ́ máa ń lọ ní aago mẹ́fà.</p>',
    '<p dir="rtl" lang="ar-SA">القارب الأول يغادر إلى Suez في السادسة.</p>',
    "<p>One line<br>and the next.</p>",
)


def online_item(kind: str, level: int, list_id: int, text: str, start: int = 1) -> str:
    """Return a list item as Word for the web writes it: in its own list in its own div."""
    first = f' start="{start}"' if kind == "ol" else ""
    return (
        '<div class="ListContainerWrapper SCXW1 BCX0" style="margin: 0px; padding: 0px;'
        ' position: relative;">'
        f'<{kind} class="ListStyle1 SCXW1 BCX0" role="list"{first} style="margin: 0px;'
        ' list-style-type: disc;">'
        f'<li data-leveltext="•" data-font="Symbol" data-listid="{list_id}" data-aria-posinset="1" '
        f'data-aria-level="{level}" role="listitem" class="OutlineElement Ltr SCXW1 '
        'BCX0" style="display: block;">'
        f"{online_paragraph(text)}</li></{kind}></div>"
    )


def online_paragraph(text: str, attributes: str = "", language: str = "EN-US") -> str:
    """Return a paragraph as Word for the web writes it."""
    return (
        f'<p class="Paragraph SCXW1 BCX0" xml:lang="{language}" lang="{language}" '
        'paraid="1" paraeid="{a}{1}" '
        f'{attributes} style="margin: 0px; font-weight: normal; font-style: normal;'
        ' vertical-align: baseline;">'
        f'<span data-contrast="auto" xml:lang="{language}" lang="{language}" '
        'class="TextRun SCXW1 BCX0" '
        'style="font-size: 11pt; font-family: Aptos;">'
        f'<span class="NormalTextRun SCXW1 BCX0">{text}</span></span>'
        '<span class="EOP SCXW1 BCX0" data-ccp-props="{&quot;201341983&quot;:0}">&nbsp;</span></p>'
    )


BOLD_RUN = (
    '</span></span><span class="TextRun SCXW1" lang="EN-US" style="font-weight: bold;">'
    "<span>said</span></span>"
    '<span class="TextRun SCXW1" lang="EN-US"><span>'
)
WORD_ONLINE = (
    '<meta charset="utf-8"><div class="OutlineElement Ltr SCXW1 BCX0" style="margin: 0px;'
    ' direction: ltr;">'
    + online_paragraph("Hours", 'role="heading" aria-level="1"')
    + (
        '</div><div class="OutlineElement Ltr SCXW1 BCX0">'
        f"{online_paragraph(f'She {BOLD_RUN} so.')}</div>"
    )
    + online_item("ul", 1, 7, "Nets")
    + online_item("ul", 2, 7, "Blue")
    + online_item("ul", 1, 7, "Ice")
    + online_item("ol", 1, 8, "Pay", 2)
    + online_item("ol", 1, 8, "Board", 3)
    + (
        '<div class="OutlineElement Ltr SCXW1 BCX0">'
        f"{online_paragraph('Aago mẹ́fà.', language='YO-NG')}</div>"
    )
)
WORD_ONLINE_EXPECTED = lines(
    "<h2>Hours</h2>",
    "<p>She <strong>said</strong> so.</p>",
    "<ul><li>Nets<ul><li>Blue</li></ul></li><li>Ice</li></ul>",
    '<ol start="2"><li>Pay</li><li>Board</li></ol>',
    '<p lang="yo-NG">Aago mẹ́fà.</p>',
)


def docs_run(text: str, **styles: str) -> str:
    """Return a run of text as Google Docs writes it, with all its styles inline."""
    plain = {
        "font-size": "11pt",
        "font-weight": "400",
        "font-style": "normal",
        "text-decoration": "none",
    }
    named = {name.replace("_", "-"): value for name, value in styles.items()}
    css = ";".join(
        f"{name}:{value}"
        for name, value in (plain | {"vertical-align": "baseline"} | named).items()
    )
    css = (
        f"font-family:Arial,sans-serif;color:#000000;{css};white-space:pre;white-space:pre-wrap;"
    )
    return f'<span style="{css}">{text}</span>'


def docs_item(level: int, text: str) -> str:
    """Return a list item as Google Docs writes it."""
    return (
        '<li dir="ltr" style="list-style-type:disc;font-size:11pt;font-weight:400;'
        f'" aria-level="{level}">'
        '<p dir="ltr" style="line-height:1.38;margin-top:0pt;" role="presentation">'
        f"{docs_run(text)}</p></li>"
    )


def docs_paragraph(*runs: str, tag: str = "p", direction: str = "ltr") -> str:
    """Return a paragraph as Google Docs writes it."""
    return (
        f'<{tag} dir="{direction}" style="line-height:1.38;margin-bottom:0pt;">'
        f"{''.join(runs)}</{tag}>"
    )


DOCS_LIST = 'style="margin-top:0;margin-bottom:0;padding-inline-start:48px;"'
GOOGLE_DOCS = (
    "<meta charset='utf-8'><meta charset=\"utf-8\">"
    '<b style="font-weight:normal;" id="docs-internal-guid-5f0a1b2c-7fff-1234-abcd-0123456789ab">'
    + docs_paragraph(docs_run("The ferry", font_size="20pt"), tag="h1")
    + docs_paragraph(docs_run("Its “hours”", font_weight="700"), tag="h4")
    + docs_paragraph(
        docs_run("It leaves at "),
        docs_run("six ", font_weight="700"),
        docs_run("sharp", font_weight="700", font_style="italic"),
        docs_run(", says "),
        '<a href="https://www.google.com/url?q=https://lake.example/hours?a%3D1&amp;'
        'sa=D&amp;source=docs&amp;ust=1" '
        f'style="text-decoration:none;">{docs_run("the office", text_decoration="underline")}</a>',
        docs_run("; H"),
        docs_run('<span style="font-size:0.6em;vertical-align:sub;">2</span>', font_size="11pt"),
        docs_run("O; "),
        docs_run("never", text_decoration="line-through"),
        docs_run("."),
    )
    + "<br />"
    + (
        f"<ul {DOCS_LIST}>{docs_item(1, 'Nets')}<ul {DOCS_LIST}>"
        f"{docs_item(2, 'Blue')}{docs_item(2, 'Green')}</ul>"
    )
    + f"{docs_item(1, 'Ice')}</ul>"
    + (
        f'<ol {DOCS_LIST} start="4">{docs_item(1, "Pay")}<ol {DOCS_LIST}>'
        f"{docs_item(2, 'in cash')}</ol></ol>"
    )
    + (
        '<div dir="ltr" style="margin-left:0pt;" align="left"><table style="border:none;'
        'border-collapse:collapse;">'
    )
    + '<colgroup><col width="312" /><col width="312" /></colgroup><tbody><tr style="height:0pt">'
    + f'<td style="vertical-align:top;">{docs_paragraph(docs_run("Port"))}</td>'
    + (
        f'<td rowspan="1" style="vertical-align:top;">{docs_paragraph(docs_run("Boats"))}'
        "</td></tr></tbody></table></div>"
    )
    + docs_paragraph(docs_run("القارب الأول يغادر في السادسة."), direction="rtl")
    + docs_paragraph(docs_run("Ọkọ̀ ojú omi àkọ́kọ́"), docs_run("<br />"), docs_run("máa ń lọ."))
    + (
        '<p dir="ltr"><span><span style="border:none;display:inline-block;">'
        '<img src="https://lh7.example/docsz/x" '
    )
    + (
        'width="2" height="2" alt="A boat" /></span></span></p></b>'
        '<br class="Apple-interchange-newline">'
    )
)
GOOGLE_DOCS_EXPECTED = lines(
    "<h2>The ferry</h2>",
    "<h3>Its “hours”</h3>",
    "<p>It leaves at <strong>six <em>sharp</em></strong>, says "
    '<a href="https://lake.example/hours?a=1">the office</a>; H<sub>2</sub>O; <s>never</s>.</p>',
    "<ul><li>Nets<ul><li>Blue</li><li>Green</li></ul></li><li>Ice</li></ul>",
    '<ol start="4"><li>Pay<ol><li>in cash</li></ol></li></ol>',
    "<table><tbody><tr><td>Port</td><td>Boats</td></tr></tbody></table>",
    '<p dir="rtl">القارب الأول يغادر في السادسة.</p>',
    "<p>Ọkọ̀ ojú omi àkọ́kọ́<br>máa ń lọ.</p>",
)

LIBREOFFICE = """<!DOCTYPE html>
<html><head><meta name="generator" content="LibreOffice 7.4.7.2 (Linux)"/><title></title>
<style type="text/css">@page { size: 21cm 29.7cm } p { line-height: 115% }</style></head>
<body lang="fr-FR" link="#000080" dir="ltr">
<h2 class="western">Les <font color="#c9211e">horaires</font></h2>
<p align="justify" style="line-height: 115%; margin-bottom: 0cm"><font
face="Liberation Serif, serif"><font size="3">Il
dit&nbsp;: «&nbsp;<b>Demain</b>&nbsp;» à&nbsp;10&nbsp;000&nbsp;&nbsp;F.</font></font></p>
<p style="margin-bottom: 0cm"><br/>
</p>
<ol start="2"><li><p style="margin-bottom: 0cm">Payer</p><ol
type="a"><li><p>en <i>espèces</i></p></li></ol></li>
<li><p>Monter</p></li></ol>
<p lang="ha-NG">Jirgin ruwa na farko.</p>
</body></html>"""
LIBREOFFICE_EXPECTED = lines(
    "<h2>Les horaires</h2>",
    "<p>Il dit&nbsp;: «&nbsp;<strong>Demain</strong>&nbsp;» à 10&nbsp;000 F.</p>",
    '<ol start="2"><li>Payer<ol><li>en <em>espèces</em></li></ol></li><li>Monter</li></ol>',
    '<p lang="ha-NG">Jirgin ruwa na farko.</p>',
)

WHATSAPP = (
    '<meta charset=\'utf-8\'><div class="copyable-text" data-pre-plain-text="[09:12, '
    '22/11/2026] Ama: ">'
    '<div class="_akbu"><span dir="ltr" class="_ao3e selectable-text copyable-text" '
    'style="white-space: pre-wrap;">'
    '<span>The boat is late.\n\nAsk <strong class="_ao3e">Kofi</strong>\nat six <img alt="⛴" '
    'src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></span></span></div></div>'
)
WHATSAPP_EXPECTED = "<p>The boat is late.</p>\n<p>Ask <strong>Kofi</strong><br>at six ⛴</p>"

WEB_PAGE = (
    '<meta charset=\'utf-8\'><article onclick="alert(1)"><h5 style="font-weight: 700;">Small</h5>'
    '<p style="color: rgb(0, 0, 0);">Go <a href="javascript:alert(1)">here</a>, '
    '<a href=" java&#10;script:alert(1)">there</a>, '
    '<a href="/relative">near</a>, <a href="https://a.example/x" onmouseover="alert(1)">far</a> or '
    '<a href="https://www.google.com/url?q=javascript:alert(1)">nowhere</a>.</p>'
    "<script>alert(1)</script><p>&nbsp;</p><blockquote>They <del>will</del> <ins>may"
    "</ins> go.</blockquote>"
    "<figure><img src=x onerror=alert(1) alt='No'></figure><p>One.<br><br><br>Two.</p>"
    "<ul><li>A</li></ul><ul><li>B</li></ul><hr><table><tr><td><p>In a box</p></td></tr></table>"
    "<table><thead><tr><th><b>Port</b></th></tr></thead><tr><td>Keta</td></tr></table></article>"
)
WEB_PAGE_EXPECTED = lines(
    "<h3>Small</h3>",
    '<p>Go here, there, near, <a href="https://a.example/x">far</a> or nowhere.</p>',
    "<blockquote><p>They may go.</p></blockquote>",
    "<p>One.</p>",
    "<p>Two.</p>",
    "<ul><li>A</li></ul>",
    "<ul><li>B</li></ul>",
    "<hr>",
    "<p>In a box</p>",
    "<table><thead><tr><th>Port</th></tr></thead><tbody><tr><td>Keta</td></tr></tbody></table>",
)

SAMPLES = {
    "Word": (WORD, WORD_EXPECTED),
    "Word for the web": (WORD_ONLINE, WORD_ONLINE_EXPECTED),
    "Google Docs": (GOOGLE_DOCS, GOOGLE_DOCS_EXPECTED),
    "LibreOffice": (LIBREOFFICE, LIBREOFFICE_EXPECTED),
    "WhatsApp": (WHATSAPP, WHATSAPP_EXPECTED),
    "a web page": (WEB_PAGE, WEB_PAGE_EXPECTED),
}
