"""A report as one HTML file: no script, and nothing that is loaded from elsewhere."""

from __future__ import annotations

from typing import Any

import jinja2


def page(package: str, template: str, **content: Any) -> str:
    """The page of a package's template, which extends `page.html.j2`. Texts are escaped; equal content, equal bytes."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package, ""), jinja2.PackageLoader("streams.charts", "")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**content)
