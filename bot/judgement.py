"""By what issues are judged, in one word: another one, and every open issue is looked at anew."""

from __future__ import annotations

import hashlib
import json

from bot import __version__
from bot.config import Settings
from bot.render import TEMPLATES


def judgement(settings: Settings) -> str:
    """A digest of this version, the settings that bear on a report, and the words it is made of."""
    ai, gitea = settings.ai, settings.gitea
    told = {
        "version": __version__,
        "agents": [agent.model_dump() for agent in settings.roster],
        "limits": settings.limits.model_dump(mode="json"),
        "labels": settings.labels.model_dump(mode="json"),
        "ai": [ai.enabled and bool(ai.api_key.get_secret_value()), ai.model, ai.dependencies],
        "dependencies": gitea.dependencies,
        "hosts": sorted(gitea.hosts),
    }
    # Sets, in JSON sorted: they come in another order in each process.
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, default=sorted).encode())
    for template in sorted(TEMPLATES.rglob("*.j2")):
        digest.update(template.read_bytes())
    return digest.hexdigest()
