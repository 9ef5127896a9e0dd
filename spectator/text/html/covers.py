"""Covers: woven geometric patterns for articles without a photograph."""

from __future__ import annotations

from hashlib import sha256

# Background, main colour, lines and highlights of a cloth: {a}, {b}, {c} and {d} in the drawings.
# No background is pale or black, so that a cover stands out in both themes.
_PALETTES = (
    ("#5a2117", "#b5482a", "#e0a33e", "#f0dfbf"),
    ("#3d2a1e", "#8a5a33", "#cf9a58", "#ecdcc0"),
    ("#24345a", "#4f6d96", "#d99450", "#ebdfc8"),
    ("#23443a", "#a63a26", "#dfa133", "#eeddb6"),
    ("#b5482a", "#5a2117", "#f0dfbf", "#e0a33e"),
    ("#c98f4b", "#3d2a1e", "#ecdcc0", "#8a4a2b"),
    ("#d39a35", "#23443a", "#f0dfbf", "#a63a26"),
)

# A wide line is a strip of cloth and its dashes are the weave. Dashes repeat the weave without the
# bytes and ids of a <pattern>. Every drawing is symmetrical about x = 160. A strip that starts 60
# units higher shows the same dashes, shifted by half.
_STRIPS = "M32 0v180M96-60v240M160 0v180M224-60v240M288 0v180"
_PEAKS = "l40-40 40 40 40-40 40 40 40-40 40 40 40-40 40 40"
_DOWN = "M160 0v180"


def _line(placeholder: str, width: int, path: str, dashes: str = "") -> str:
    weave = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path stroke="{{{placeholder}}}" stroke-width="{width}"{weave} d="{path}"/>'


def _group(attributes: str, *drawings: str) -> str:
    return f"<g {attributes}>{''.join(drawings)}</g>"


def _kente() -> str:
    """Kente (Ghanaian strip cloth): blocks of horizontal bars beside blocks of vertical ones."""
    bars = _line("b", 64, _STRIPS, "60") + _line("d", 64, _STRIPS, "0 12 12 12 12 72")
    return bars + _line("c", 32, _STRIPS, "0 60 60 0")


def _herringbone() -> str:
    # One unit wider than the strip, or the background shows through the seam.
    rising, falling = "M40-320v900M200-320v900", "M120 0v640M280 0v640"
    return "".join(
        _group(
            f'transform="skewY({angle})"',
            _line("b", 81, path, "20"),
            _line("c", 81, path, "0 5 10 65"),
        )
        for angle, path in ((45, rising), (-45, falling))
    )


def _zigzags() -> str:
    path = f"M0 55{_PEAKS}M0 115{_PEAKS}M0 175{_PEAKS}"
    return _group('stroke-linecap="square"', _line("b", 24, path), _line("c", 8, path))


def _stepped_diamonds() -> str:
    """Diamonds with stairs: concentric lines; the thinner the line, the longer its dashes."""

    def stairs(placeholder: str, *steps: tuple[int, int]) -> str:
        lines = (
            f'<path stroke-width="{height}" stroke-dasharray="{width} {160 - width}"'
            f' d="M{-width // 2} 90h420"/>'
            for width, height in steps
        )
        return _group(f'stroke="{{{placeholder}}}"', *lines)

    return stairs("b", (36, 180), (88, 120), (140, 60)) + stairs(
        "c", (20, 100), (52, 60), (84, 20)
    )


def _adire() -> str:
    """Adire (Yoruba tie-dye): rings, every second row shifted by half."""
    path = "M0 30h330M-32 90h390M0 150h330"
    rings = (
        _line(placeholder, width, path)
        for placeholder, width in (("b", 58), ("d", 42), ("a", 34), ("c", 14))
    )
    return _group('stroke-linecap="round" stroke-dasharray="0 64"', *rings)


def _blanket() -> str:
    strips = _line("b", 180, "M-20 90h380", "40 24") + _line("d", 320, _DOWN, "0 28 4 28")
    return strips + _line("c", 20, "M-4 30h330M-4 90h330M-4 150h330", "8")


def _basket() -> str:
    lines = (("a", 52), ("c", 44), ("d", 4))
    over = (_line(placeholder, width, _STRIPS) for placeholder, width in lines)
    under = _line("b", 320, _DOWN, "0 12 36 12")
    return under + _group('stroke-dasharray="72 48" stroke-dashoffset="6"', *over)


def _triangles() -> str:
    path = f"M0 60{_PEAKS}M0 120{_PEAKS}M0 180{_PEAKS}"
    rows = f'<path fill="{{b}}" stroke="{{d}}" stroke-width="3" d="{path}"/>'
    return rows + _line("c", 320, _DOWN, "0 4 4 4 4 44")


def _lattice() -> str:
    diagonals = (
        _line("b", 420, path, "10 4 4 4 10 32") + _line("c", 420, path, "0 14 4 46")
        for path in ("M0-208v420", "M-208 0h420")
    )
    return _group('transform="matrix(1 .9375 -1 .9375 160 90)"', *diagonals)


def _bogolan() -> str:
    """Bogolan (Malian mud cloth): rows of peaks between striped borders."""
    peaks = _line("d", 5, f"M0 96{_PEAKS}M0 110{_PEAKS}M0 124{_PEAKS}")
    borders = _line("b", 320, _DOWN, "32 116") + _line("d", 320, _DOWN, "0 32 4 108 4 32")
    return peaks + borders + _line("c", 16, "M6 16h320M6 164h320", "4 12")


_CLOTHS = tuple(
    '<svg class="cover" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice"'
    ' aria-hidden="true" focusable="false" fill="none"><path fill="{a}" d="M0 0h320v180H0z"/>'
    + zoom.format(cloth())
    + "</svg>"
    for cloth in (
        _kente,
        _herringbone,
        _zigzags,
        _stepped_diamonds,
        _adire,
        _blanket,
        _basket,
        _triangles,
        _lattice,
        _bogolan,
    )
    for zoom in (
        "{}",
        '<g transform="translate(-80)scale(1.5)">{}</g>',
        '<g transform="translate(-160)scale(2)">{}</g>',
    )
)


def cover(slug: str) -> str:
    """Draw the cover of a slug as inline SVG.

    320 x 180 units, under 700 bytes of ASCII. The same slug always gives the same drawing, one of
    210. The slug itself is not in the result. Covers share their pieces, so that a page of them
    compresses well.
    """
    digest = sha256(slug.encode("utf-8", "surrogatepass")).digest()
    palette = dict(zip("abcd", _PALETTES[digest[0] % len(_PALETTES)], strict=True))
    return _CLOTHS[digest[1] % len(_CLOTHS)].format(**palette)
