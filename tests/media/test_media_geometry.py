"""Sizes and turns."""

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.media.geometry import Orientation, Size, fit, orientation, square_pixels

sides = st.integers(2, 5000)


@given(sides, sides, st.integers(4, 10**7))
def test_fit_keeps_the_shape_and_the_budget(width, height, max_pixels):
    size = fit(Size(width, height), max_pixels)
    assert size.width % 2 == size.height % 2 == 0
    assert 2 <= size.width <= width
    assert 2 <= size.height <= height
    assert size.width * size.height <= max_pixels or 2 in size
    scale = min(1, (max_pixels / (width * height)) ** 0.5)
    assert size.width == 2 or width * scale - 2 <= size.width <= width * scale + 1e-6
    assert size.height == 2 or height * scale - 2 <= size.height <= height * scale + 1e-6


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((720, 576), Fraction(16, 15), (720, 540)),
        ((720, 480), Fraction(8, 9), (640, 480)),
        ((640, 480), Fraction(1), (640, 480)),
        ((640, 480), None, (640, 480)),
        ((640, 480), Fraction(100), (640, 480)),
    ],
)
def test_oblong_pixels_become_square_and_nothing_grows(size, aspect, expected):
    assert square_pixels(Size(*size), aspect) == expected


@pytest.mark.parametrize(
    ("matrix", "rotation"),
    [((1, 0, 0, 1), 0), ((0, 1, -1, 0), 90), ((-1, 0, 0, -1), 180), ((0, -1, 1, 0), 270), ((0.7, 0.6, -0.6, 0.7), 0)],
)
def test_rotation_is_the_clockwise_turn_to_upright(matrix, rotation):
    a, b, c, d = (int(value * 65536) for value in matrix)
    assert orientation(struct.pack("9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)).rotation == rotation


@pytest.mark.parametrize("broken", [None, b"", b"123", bytes(36)])
def test_a_broken_matrix_turns_nothing(broken):
    assert orientation(broken) == Orientation()
