"""Whether Claude can be asked: the key, and the model."""

from __future__ import annotations

from bot.ai import DEFAULT_MODEL, Access, Claude
from bot.check.finding import Finding, Grade
from bot.config import Settings

PATIENCE = 10.0  # seconds
_WITHOUT = "Texts are read without AI: what one does not declare is estimated."

_REFUSED = {
    401: (
        "claude.key",
        "Claude does not accept the key (401).",
        "Set ANTHROPIC_API_KEY to a key of console.anthropic.com; or unset it.",
    ),
    402: (
        "claude.billing",
        "The Claude account's billing is refused (402).",
        "Look at the billing at console.anthropic.com.",
    ),
    403: (
        "claude.forbidden",
        "The key may not use {model} (403).",
        "Let its workspace use the model, at console.anthropic.com; or set ai.model to another.",
    ),
    0: (
        "claude.stranger",
        "What answers is not the Claude API ({status}).",
        "Correct ANTHROPIC_BASE_URL, or unset it; look for a proxy in between.",
    ),
}


async def look(settings: Settings) -> list[Finding]:
    """Ask the API for the model; nothing is read, and nothing has to be paid."""
    ai = settings.ai
    if not ai.enabled:
        return [_good("claude.off", "Claude is not asked: ai.enabled is false.")]
    if not ai.api_key.get_secret_value():
        return [_good("claude.none", "There is no key for Claude: texts are read without AI.")]
    claude = Claude(
        api_key=ai.api_key,
        base_url=ai.base_url,
        model=ai.model,
        timeout=PATIENCE,
        attempts=1,
        first_wait=0.0,
    )
    try:
        access = await claude.access()
    finally:
        await claude.close()
    budget = [] if ai.daily_tokens else [_no_budget()]
    return [told(access, ai.model, gateway=bool(ai.base_url)), *budget]


def told(access: Access, model: str, *, gateway: bool) -> Finding:
    """What an answer of the API means; `gateway`: another address than Anthropic's is set."""
    status = access.status
    if status is None:
        return _wrong(
            "claude.silent",
            f"The Claude API cannot be reached: {access.why}.",
            "Let this machine reach https://api.anthropic.com, or correct ANTHROPIC_BASE_URL.",
        )
    if status == 200 and access.is_claude:
        return _good("claude.model", f"Claude accepts the key, and knows {model}.")
    if gateway and status in (404, 405, 501) and not access.names_model:
        return _note(
            "claude.gateway",
            "The address in ANTHROPIC_BASE_URL does not tell which models there are.",
            "So it is not known whether the key and the model are right.",
            "Look for ai.read in the bot's log once an issue was read.",
        )
    if status == 404 and access.is_claude:
        return _wrong(
            "claude.unknown-model",
            f"Claude knows no model {model} (404).",
            f"Correct ai.model; {DEFAULT_MODEL} is usual.",
        )
    return _refused(status, model)


def _refused(status: int, model: str) -> Finding:
    if status >= 500:
        return _note(
            "claude.fault",
            f"The Claude API has a fault at the moment ({status}).",
            f"{_WITHOUT} The bot tries again by itself.",
            "Call check again in some minutes; status.anthropic.com tells more.",
        )
    if status == 429:
        return _note(
            "claude.busy",
            "Claude is asked too often at the moment (429).",
            f"{_WITHOUT} The key and the model could not be looked at.",
            "Call check again in some minutes; where it stays so, raise the account's limit.",
        )
    name, what, do = _REFUSED.get(status, _REFUSED[0])
    return _wrong(name, what.format(model=model, status=status), do)


def _no_budget() -> Finding:
    return _note(
        "claude.no-budget",
        "There is a key for Claude, but ai.daily_tokens is 0.",
        _WITHOUT,
        "Set ai.daily_tokens; 2000000 is usual. Or set ai.enabled to false.",
    )


def _good(name: str, what: str) -> Finding:
    return Finding(name, Grade.GOOD, what)


def _note(name: str, what: str, why: str, do: str) -> Finding:
    return Finding(name, Grade.NOTE, what, why, do)


def _wrong(name: str, what: str, do: str) -> Finding:
    return Finding(name, Grade.WRONG, what, _WITHOUT, do)
