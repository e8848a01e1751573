"""What the pages share: one file each, styled alike, that runs no script but its own and fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def page(template: str, script: str, data: object, **values: Any) -> str:
    """A page by a template and a script of this folder; ``data`` is what the script draws from."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    code = (HERE / script).read_text(encoding="utf-8")
    style = (HERE / "report.css").read_text(encoding="utf-8")
    shared = {"policy": policy(code, "media-src file:"), "css": style, "script": code, "data": harmless_json(data)}
    return environment.get_template(template).render(**shared, **values)


def policy(script: str, *more: str) -> str:
    """A Content Security Policy under which nothing runs but the page's own script, and nothing is fetched."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = ("default-src 'none'", "style-src 'unsafe-inline'", *more, f"script-src 'sha256-{digest}'")
    return "; ".join(rules)


def harmless_json(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
