"""Rendering of an HTML page: one file, in the shared style, that runs no script but its own and fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


def static_page(template: str, **values: Any) -> str:
    """Return a page rendered from a template of this folder; it runs no script at all."""
    rules = "default-src 'none'; style-src 'unsafe-inline'"
    return _environment().get_template(template).render(policy=rules, css=styles(HERE / "report.css"), **values)


def page(template: str, script: str, data: object, **values: Any) -> str:
    """Return a page rendered from a template and a script of this folder; the script draws from ``data``."""
    code = (HERE / script).read_text(encoding="utf-8")
    # Videos are the one thing that a page may load, and only from the disk of whoever opens it; stills are in the page.
    security = policy(code, "media-src file:", *(["img-src data:"] if values.get("frames") else []))
    shared = {"policy": security, "css": styles(HERE / "report.css"), "script": code, "data": harmless_json(data)}
    return _environment().get_template(template).render(**shared, **values)


def styles(own: Path) -> str:
    """Return the style that all pages share, followed by a page's own style file."""
    return "".join(path.read_text(encoding="utf-8") for path in (HERE / "theme.css", own))


def policy(script: str, *more: str) -> str:
    """Return a Content Security Policy that allows the page's own script alone, and no fetching."""
    # The digest names this very script: text that gets out of the data by a mistake of ours still does not run.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Attributes of style draw the heat maps; they can load nothing, since default-src is 'none'.
    rules = ("default-src 'none'", "style-src 'unsafe-inline'", *more, f"script-src 'sha256-{digest}'")
    return "; ".join(rules)


def harmless_json(value: object) -> str:
    """Return JSON that cannot end the HTML element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # A script element ends at the first "</script", also within a JSON string; \u003c is the same character to JSON.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
