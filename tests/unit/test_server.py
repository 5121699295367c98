"""What `serve` does beside serving."""

from __future__ import annotations

from structlog.testing import capture_logs

from bot import server


async def test_where_it_cannot_be_looked_for_what_is_wrong_that_is_told_and_no_more(monkeypatch):
    """The bot works on; a mistake of ours stands in the log with all there is."""

    def odd(*_: object, **__: object) -> None:
        raise ValueError("odd")

    class Served:
        settings = None
        now = None

    monkeypatch.setattr(server, "Machine", odd)
    with capture_logs() as logs:
        await server.look_at_everything(Served())  # type: ignore[arg-type]
    assert [("check.failed", True)] == [(line["event"], line["exc_info"]) for line in logs]
