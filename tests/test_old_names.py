"""A public name that was renamed is still there for one release, with a warning."""

import pytest

import s3harness


@pytest.mark.parametrize(("old", "new"), s3harness._RENAMED.items())
def test_an_old_public_name_is_the_new_one_and_warns(old, new):
    with pytest.warns(DeprecationWarning, match=f"s3harness.{old} is now s3harness.{new}"):
        assert getattr(s3harness, old) is getattr(s3harness, new)
