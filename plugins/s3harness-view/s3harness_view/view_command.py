"""``s3harness view``: runs, items and videos in a browser on this machine."""

from __future__ import annotations

from pathlib import Path

import click

import s3harness

port_option = click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; a free one by default.")


@click.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option("--data", type=click.Path(path_type=Path), help="The runs' data set directory: shows videos and lanes.")
@click.option("--reader", default="reader", show_default=True, help="Name under which verdicts are written.")
@click.option("--blind", is_flag=True, help="Hide the models' names and shuffle the items.")
@click.option("--cache", type=click.Path(path_type=Path), help="The directory for decoded frames.")
@port_option
def view(runs: tuple[Path, ...], data: Path | None, reader: str, blind: bool, cache: Path | None, port: int) -> None:
    """Show runs beside their videos in a browser, also while they go on, and have their answers judged.

    RUNS are run directories, or folders of them; by default ./runs, or else the working directory. The server takes
    connections of this machine alone, and only with the token in the address that it prints.
    """
    # Imported here, as --help need not wait for the web server.
    from s3harness_view import server
    from s3harness_view.application import ReadingRoom
    from s3harness_view.library import Library
    from s3harness_view.media_room import MediaRoom

    paths = list(runs) or [Path("runs") if Path("runs").is_dir() else Path()]
    for path in paths:
        if not path.is_dir():
            raise s3harness.UsageError(f"there is no directory {path}; name run directories, or a folder of them")
    library = Library(paths, blind=blind)
    if not library.runs():
        raise s3harness.UsageError(f"{paths[0]} holds no run; name run directories, or a folder of them")
    room = ReadingRoom(library, MediaRoom(data, cache), reader)
    folder = server.audit_folder()
    with s3harness.AuditLog(folder, {"backend": "view", "allow_remote": []}, dict) as audit:
        server.run(room.application(), server.bind(port), audit.sent, announce)
    click.echo(f"stopped; what was sent is in {folder / 'audit.jsonl'}", err=True)


def announce(address: str) -> None:
    """Print the address to open."""
    click.echo(f"open {address}\nCtrl-C ends it. Research use, not a medical device.")
