"""A contact sheet shows a video and when its signs are on."""

import pytest
from PIL import Image
from s3harness_synth.dataset import synthesize

from s3harness.cli import main


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("preview") / "data"
    synthesize(out, videos=1, seed=5, resolution=(160, 90), fps=5, duration_s=8.0)
    return out


def preview(*arguments):
    with pytest.raises(SystemExit) as left:
        main(["data", "preview", *map(str, arguments)])
    return left.value.code or 0


@pytest.mark.parametrize(("frames", "rows"), [(4, 1), (5, 2), (12, 3)])
def test_the_sheet_has_rows_of_four_pictures_and_a_lane_for_each_feature(data, tmp_path, frames, rows):
    assert preview(data, "v0001", "--out", tmp_path / "sheet.png", "--frames", frames, "--width", 160) == 0
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.format == "PNG"
    assert sheet.width > 4 * 160
    assert 20 * 15 + rows * 90 < sheet.height < 26 * 15 + rows * 94 + 120
    colours = {colour for _, colour in sheet.getcolors(1 << 20)}
    assert len(colours) > 200, "pictures, not blanks"


def test_pictures_of_a_span_differ_from_those_of_another(data, tmp_path):
    for name, span in {"early": ("0", "1"), "late": ("5", "6")}.items():
        options = ("--from", span[0], "--to", span[1], "--frames", 4)
        assert preview(data, "v0001", "--out", tmp_path / f"{name}.png", *options) == 0
    assert (tmp_path / "early.png").read_bytes() != (tmp_path / "late.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("v0002",), "no video 'v0002'"), (("v0001", "--from", "9", "--to", "8"), "span of video v0001")],
)
def test_what_is_not_there_is_a_wrong_call(data, tmp_path, arguments, message, capsys):
    assert preview(data, *arguments, "--out", tmp_path / "sheet.png") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
