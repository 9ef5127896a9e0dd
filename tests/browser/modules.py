"""The scripts of a page, for tests that call them."""


def module(name: str) -> str:
    """Return an async expression for one of the page's modules."""
    tags = f"""document.querySelectorAll('[src$="/js/{name}.js"], [href$="/js/{name}.js"]')"""
    return f"(await import([...{tags}].map(tag => tag.src || tag.href)[0]))"
