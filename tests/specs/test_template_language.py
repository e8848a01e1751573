"""A prompt cannot fill the memory or run for ever: what could is not part of the language of prompts."""

from __future__ import annotations

import pytest

from s3harness.errors import SpecError
from s3harness.specs.prompts import MAX_CHARACTERS, prompt_context, render
from s3harness.types import Clip

CLIP = Clip("v0", 0.0, 12.5, (0.0, 1.0), 1)

# the template, and what must be said
REFUSED = {
    "doublings": ('{% set x = "a" %}' + "{% set x = x ~ x %}" * 34 + "{{ x }}", "set is not part"),
    "doublings by with": ('{% with x = "a" %}{{ x }}{% endwith %}', "with is not part"),
    "a macro": ("{% macro m() %}{% endmacro %}", "macro is not part"),
    "chains of replace": ('{{ "a"' + ' | replace("a", "aaaaaaaaaa")' * 12 + " }}", "no filter 'replace'"),
    "eleven loops": ("{% for f in features %}" * 11 + "x" + "{% endfor %}" * 11, "more than 2 loops"),
    "a loop over a text": ("{% for c in report %}{% for d in report %}x{% endfor %}{% endfor %}", "a loop goes over"),
    "a loop over a list made on the spot": ("{% for r in [report] %}x{% endfor %}", "a loop goes over"),
    "a recursive loop": ("{% for f in features recursive %}x{% endfor %}", "a loop goes over"),
    "center": ('{{ "a" | center(6000000000) }}', "no filter 'center'"),
    "a method": ('{{ "a".ljust(6000000000) }}', "a call is not part"),
    "zfill": ('{{ "1".zfill(6000000000) }}', "a call is not part"),
    "a width": ('{{ "%6000000000d" % 1 }}', "the operator % is not part"),
    "a width by a filter": ('{{ "%6000000000d" | format(1) }}', "format writes one number"),
    "a width from outside": ('{{ "%*d" | format(6000000000, 1) }}', "format writes one number"),
    "a format": ('{{ "{:6000000000}".format(1) }}', "a call is not part"),
    "a product": ('{{ "a" * 6000000000 }}', "the operator * is not part"),
    "a power": ("{{ 9 ** 9 ** 9 }}", "the operator ** is not part"),
    "a join of joins": ('{{ body_parts | join("ab") | join("ab") }}', "join takes a list by its name"),
    "a join of a text": ('{{ report | join("abcdefgh") }}', "join takes a list by its name"),
    "a long separator": ('{{ body_parts | join("' + "a" * 500 + '") }}', "at most 20 characters"),
    "a separator from outside": ("{{ body_parts | join(report) }}", "at most 20 characters"),
    "another file": ("{% include '/etc/passwd' %}", "include is not part"),
    "a long template": ("a" * 30_000, "at most 20000"),
    "a deep one": ("{% if hears %}" * 400 + "{% endif %}" * 400, "prompt: "),
    "a filter over a block": ("{% filter upper %}x{% endfilter %}", "filter is not part"),
    "a test of its own": ("{% if 4 is divisibleby 2 %}x{% endif %}", "no test 'divisibleby'"),
}


def context(report="It began."):
    return prompt_context(item="diagnosis", subject="video_and_report", hears=True, clip=CLIP, report=report)


@pytest.mark.parametrize(("template", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_can_grow_is_refused_before_it_is_rendered(template, reason):
    with pytest.raises(SpecError) as caught:
        render(template, context())
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ('{{ "%.0f" | format(clip.duration_s) }} s, {{ clip.frames }} frames', "12 s, 2 frames"),
        ('{{ body_parts | join(", ") }}', "head, eyes"),
        ("{% for feature in features %}{{ feature.name }}{% if not loop.last %}, {% endif %}{% endfor %}", "head_turn"),
        ('{{ features | map(attribute="name") | join(" ") }}', "head_turning blank_stare"),
        ('{{ "heard" if hears else "seen" }}: {{ report | upper }}', "heard: IT BEGAN."),
    ],
)
def test_what_prompts_need_is_in_the_language(template, prompt):
    assert render(template, context()).startswith(prompt[:5])
    assert prompt in render(template, context())


def test_a_prompt_that_grows_too_long_stops_growing():
    template = "{% for feature in features %}{% for other in features %}{{ report }}{% endfor %}{% endfor %}"
    with pytest.raises(SpecError, match=f"longer than {MAX_CHARACTERS} characters"):
        render(template, context("word " * 10_000))
