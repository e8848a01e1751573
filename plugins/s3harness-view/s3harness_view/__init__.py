"""The reading room: a local web application that shows runs beside their videos, and has people judge and answer."""

import s3harness


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register what this package offers."""
    registry.command("view", "s3harness_view.view_command:view")
    registry.command("read", "s3harness_view.read_command:read")
    registry.command("judgements", "s3harness_view.judgements_command:judgements")
    registry.command("readers", "s3harness_view.readers_command:readers")
    registry.backend("human_reader", "s3harness_view.reader_backend:ReaderBackend")
    registry.executor("reading_room", "s3harness_view.executor:reading_room")
