"""The menus of the site: which standing pages they show, under which name, in which order."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.i18n import lazy_gettext
from spectator.newsroom import bp, security
from spectator.newsroom.security import current_user
from spectator.publishing import menus
from spectator.text.words.numbers import parse_int

MENU_TITLES = {
    "header": lazy_gettext("Menu at the top of every page"),
    "footer": lazy_gettext("Menu at the bottom of every page"),
}


@bp.get("/pages/menus", endpoint="menus")
@security.for_editors
def show_menus() -> str:
    """Show editors the menus, with forms that change them."""
    return render_menus("")


@bp.post("/pages/menus/<any(header, footer):menu>")
@security.for_editors
def add_to_menu(menu: str) -> Response | tuple[str, int]:
    """Put a page at the end of a menu."""
    page_id = parse_int(request.form.get("page", ""))
    try:
        menus.add_to_menu(menu, page_id, current_user(), request.form.get("label", ""))
    except publishing.ValidationError as invalid:
        return render_menus(" ".join(invalid.errors.values())), 422
    return redirect_to_menu(menu)


@bp.post("/pages/menus/<any(header, footer):menu>/<int(max=2147483647):page_id>")
@security.for_editors
def change_menu(menu: str, page_id: int) -> Response:
    """Move a page up or down in a menu, remove it, or give it another name there."""
    action, user = request.form.get("do", ""), current_user()
    if action in {"up", "down"}:
        menus.move_in_menu(menu, page_id, user, action == "up")
    elif action == "remove":
        menus.remove_from_menu(menu, page_id, user)
    else:
        menus.rename_in_menu(menu, page_id, user, request.form.get("label", ""))
    return redirect_to_menu(menu)


def redirect_to_menu(menu: str) -> Response:
    """Return the redirect to a menu after it was changed."""
    return redirect(url_for("newsroom.menus", done="menu", _anchor=menu), 303)


def render_menus(problem: str) -> str:
    """Return the page of the menus, with a message if one could not be changed."""
    entries, pages = queries.menu_entries(), queries.all_pages()
    rows = []
    for menu, title in MENU_TITLES.items():
        page_ids = {entry.page_id for entry in entries.get(menu, ())}
        others = [page for page in pages if page.id not in page_ids]
        rows.append((menu, title, entries.get(menu, ()), others))
    return render_template("newsroom/menus.html", menus=rows, problem=problem)
