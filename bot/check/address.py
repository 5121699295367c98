"""Whether GITEA_URL leads to a Gitea, and where else it leads."""

from __future__ import annotations

from bot.check.finding import Finding, Grade
from bot.errors import GiteaError, NotFound, Retryable
from bot.gitea.client import NoAnswer, Redirected, Silence

WHY = "Nothing works without Gitea."
_WAYS_OUT = {
    Silence.NAME: (
        "address.name",
        (
            "Check how GITEA_URL is written, and that this machine can look the name up (DNS; in a "
            "container the name of the host is often another one)."
        ),
    ),
    Silence.REFUSED: (
        "address.refused",
        (
            "Start Gitea, or put the right port in GITEA_URL. In a container, localhost is the "
            "container itself: use the host's name."
        ),
    ),
    Silence.CERTIFICATE: (
        "address.certificate",
        (
            "Name the certificate of your own authority in bot.toml (ca_file under [gitea]), or "
            "renew the one that Gitea shows."
        ),
    ),
    Silence.TLS: (
        "address.tls",
        "Write http:// in GITEA_URL where Gitea speaks no HTTPS, or put the right port there.",
    ),
    Silence.TIME: (
        "address.time",
        "Look whether Gitea is overloaded, or a firewall drops what is sent to it from here.",
    ),
    Silence.BROKEN: ("address.broken", "Look at what stands between this machine and Gitea."),
}


def not_set(name: str, what: str, do: str) -> Finding:
    """What it says of a setting without which nobody can be asked."""
    return Finding(f"{name}.unset", Grade.WRONG, what, WHY, do)


def unanswered(error: GiteaError, url: str) -> Finding:
    """What a request says of the address that failed without an answer of Gitea's own."""
    where = f"GITEA_URL, {url}" if url else "GITEA_URL"
    if isinstance(error, NoAnswer):
        name, do = _WAYS_OUT[error.why]
        return Finding(name, Grade.WRONG, f"{where}, cannot be reached: {error.why}.", WHY, do)
    if isinstance(error, Redirected):
        return Finding(
            "address.redirects",
            Grade.WRONG,
            f"{where}, redirects to {error.there}.",
            "The token is sent to no other place than the one that was set.",
            f"If that is your Gitea, set GITEA_URL={error.there}",
        )
    if isinstance(error, Retryable):
        return Finding(
            "gitea.failing",
            Grade.WRONG,
            f"Gitea does not answer as it should: {error}",
            WHY,
            "Look into Gitea's log, and into that of the proxy in front of it.",
        )
    what = f"answered {error.status}" if error.status else str(error)
    if isinstance(error, NotFound) or not error.message:
        what = f"{url}/api/v1{error.path} is not there."
    elif error.status:
        what = f"{what}: {error.message}"
    return Finding(
        "address.other",
        Grade.WRONG,
        f"What answers at {where}, is no Gitea: {what}",
        WHY,
        "Give GITEA_URL the address at which people open Gitea, with the path below which it "
        "stands, if any: https://example.org/git",
    )
