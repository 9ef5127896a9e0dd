"""Access to the JavaScript modules that a page has loaded."""


def module(name: str) -> str:
    """Return a JavaScript expression for one of the page's modules, for use in async functions."""
    tags = f"""document.querySelectorAll('[src$="/js/{name}.js"], [href$="/js/{name}.js"]')"""
    return f"(await import([...{tags}].map(tag => tag.src || tag.href)[0]))"
