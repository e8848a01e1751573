"""What remembers millions of ids answers as a set would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from s3harness.rundir.id_set import CompactIdSet

ids = st.text("0123456789abcdef-é", min_size=1, max_size=24)


@given(added=st.lists(ids), asked=st.lists(ids), fewest=st.integers(1, 5))
def test_it_knows_what_was_added_and_nothing_else(added, asked, fewest):
    known, plain = CompactIdSet(fewest), set[str]()
    for one in added:
        known.add(one)
        plain.add(one)
        assert len(known) == len(plain)
        assert one in known
    assert all((one in known) == (one in plain) for one in (*added, *asked))
