"""Private stays private: a public and a private repository, and everybody who asks about it.

On the embedded forge and on a real Gitea. What is looked for in the end is a title and a person's
name that stand in the private repository alone.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_talk import answered, say
from tests.e2e.work import BOT, EVENTS, Work, at_work
from tests.forges import ForgeServer

TITLE = "Do-not-leak-7431"
PERSON = "secretagent"
SIZE = "Context estimate: 9k tokens\nDifficulty: easy"
LABELS = ("context/small", "difficulty/easy", "agent/glm")


@dataclass
class Scene:
    """A public repository (`work`), and a private one with one issue, which waits for nothing."""

    work: Work
    vault: str
    absent: str

    @property
    def refs(self) -> dict[str, str]:
        """What mallory, who may not read the private repository, guesses."""
        return {
            "no repository": f"{self.absent}#1",
            "an issue": f"{self.vault}#1",
            "no issue": f"{self.vault}#99",
        }

    async def probe(self, who: str, text: str) -> int:
        """Somebody opens an issue, and alice assigns it to the bot."""
        path = f"/repos/{self.work.repo}/issues"
        body = {"title": "Probe", "body": f"{text}\n\n{SIZE}"}
        made = await self.work.server.api(who).do("POST", path, body)
        await self.work.assign(made["number"])
        return int(made["number"])

    async def close_secret(self) -> None:
        path = f"/repos/{self.vault}/issues/1"
        await self.work.alice.do("PATCH", path, {"state": "closed"})

    def plain(self, text: str, ref: str) -> str:
        """A text in which that reference and the own number could be any."""
        for shown in (ref, ref.replace("#", "\\#")):
            text = text.replace(shown, "REF")
        text = re.sub(r"<!-- mosaic-coordinator:(reply|notice) .*? -->", "", text)
        return re.sub(r"#\d+", "#N", text)

    async def everything(self) -> str:
        """Whatever the bot wrote in the public repository, and what it serves."""
        alice, repo, port = self.work.alice, self.work.repo, self.work.port
        issues = await alice.read(f"/repos/{repo}/issues?state=all&limit=50")
        found = [str(await alice.read(f"/repos/{repo}/labels?limit=50"))]
        for issue in issues:
            path = f"/repos/{repo}/issues/{issue['number']}"
            comments = await alice.read(f"{path}/comments")
            found += [one["body"] for one in comments if one["user"]["login"] == BOT]
            found.append(str(await alice.read(f"{path}/labels")))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            for path in ("/help", "/metrics", "/ready", "/health"):
                found.append((await http.get(path)).text)
        return "\n".join(found)


@asynccontextmanager
async def scene(server: ForgeServer, directory: Path, **more: str) -> AsyncIterator[Scene]:
    """Both repositories; alice administers them, bob writes and mallory reads the public one."""
    async with at_work(server, directory, **more) as work:
        people = {"alice": "admin", PERSON: "write", BOT: more.get("right", "admin")}
        owner = work.repo.partition("/")[0]
        vault = await server.repository(owner=owner, name="vault", private=True, people=people)
        hook = f"http://127.0.0.1:{work.port}/webhook/gitea"
        await server.hook(f"/repos/{vault}", hook, EVENTS)
        body = {"title": TITLE, "body": f"{SIZE}\n\nSaid {PERSON}.", "assignees": [BOT, PERSON]}
        await server.api(PERSON).do("POST", f"/repos/{vault}/issues", body)
        yield Scene(work, vault, f"{owner}/absent")


QUESTIONS = ("/status", "/why", "/graph", "/graph up", "/impact")
ORDERS = {"/blocked-by": "confused", "/blocks": "confused", "/unlink": "+1"}


async def test_who_may_not_read_it_learns_nothing_whatever_they_ask(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """No repository, no issue and an issue are answered alike, open or closed."""
    async with scene(forge_server, tmp_path) as play:
        work, said = play.work, dict[str, list[str]]()
        for kind, ref in play.refs.items():
            number = await play.probe("mallory", f"Blocked by: {ref}")
            look = await work.until(number, "status/blocked", *LABELS, headline="Blocked")
            assert f"`{ref}` cannot be seen" in look.report
            for question in QUESTIONS:
                await answered(work, "mallory", number, question, "+1")
            for order, done in ORDERS.items():
                await answered(work, "bob", number, f"{order} {ref}", done)
            ready = await work.until(number, "status/ready", *LABELS, headline="Ready")
            await work.quiet()  # it is told, too
            await answered(work, "bob", number, f"/unlink {ref}", "confused")
            others = (await work.look(number)).others
            texts = [look.report, ready.report, *sorted(play.plain(one, ref) for one in others)]
            said[kind] = [play.plain(text, ref) for text in texts]
            assert len(QUESTIONS) + len(ORDERS) + 2 == len(others)
        assert said["no repository"] == said["no issue"] == said["an issue"]

        said = dict[str, list[str]]()
        await play.close_secret()
        for kind, ref in play.refs.items():
            number = await play.probe("mallory", f"Blocks: {ref}")
            look = await work.until(number, "status/ready", *LABELS, headline="Ready", says=ref)
            said[kind] = [play.plain(look.report, ref)]
        assert said["no repository"] == said["no issue"] == said["an issue"]


async def test_a_private_title_comes_nowhere_into_the_public_repository(
    forge_server: ForgeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Played through by people who may read it: declared, commanded, set in Gitea, and closed."""
    async with scene(forge_server, tmp_path) as play:
        work, secret = play.work, f"{play.vault}#1"
        declared = await play.probe("alice", f"Blocked by: {secret}")
        look = await work.until(declared, "status/blocked", *LABELS, headline="Blocked")
        assert f"{play.vault}\\#1 · **open** · declared" in look.report
        mine = await play.probe("mallory", f"Blocked by: {secret}")
        await work.until(mine, "status/blocked", *LABELS, headline="Blocked", says="cannot be seen")
        native = await play.probe("alice", "Nothing is said here.")
        await work.until(native, "status/ready", *LABELS, headline="Ready")
        await forge_server.add_dependency(work.repo, native, 1, of=play.vault)
        await say(work, "alice", native, "/recheck")
        look = await work.until(native, "status/blocked", *LABELS, headline="Blocked")
        assert "It waits for 1 issue in a repository that not everyone here can read" in look.report
        assert "vault" not in look.report

        path = f"/repos/{play.vault}/issues/1/comments"
        inside = await play.probe("alice", "Somebody in there says what this waits for.")
        order = {"body": f"/blocks {work.repo}#{inside}"}
        await work.alice.do("POST", path, order)
        look = await work.until(inside, "status/blocked", *LABELS, headline="Blocked")
        assert "vault" not in look.report
        last = await play.probe("bob", f"Blocked by #{inside}")
        await work.until(last, "status/blocked", *LABELS, headline="Blocked")

        for number in (declared, mine, native, inside, last):
            for question in (*QUESTIONS, "/queue"):
                await answered(work, "mallory", number, question, "+1")
        said = await answered(work, "mallory", declared, "/graph all", "+1")
        assert "vault" not in said
        for who, order in (("alice", "/blocked-by"), ("bob", "/unlink"), ("bob", "/blocks")):
            done = "confused" if order == "/blocks" else "+1"
            await answered(work, who, mine, f"{order} {secret}", done)
        await answered(work, "alice", mine, f"/blocked-by {secret}", "+1")
        await work.until(
            mine, "status/blocked", *LABELS, headline="Blocked", says="\\#1 · **open**"
        )

        await play.close_secret()
        for number in (declared, mine, native, inside):
            await work.until(number, "status/ready", *LABELS, headline="Ready")
        await work.quiet()
        for number in (native, inside):
            assert "vault" not in "".join((await work.look(number)).others)
        written = await play.everything()
        logged = capsys.readouterr()
        assert "vault" in written
        assert "report.written" in logged.out + logged.err
        for text in (TITLE, PERSON):
            assert text not in written
            assert text not in logged.out + logged.err


async def test_who_writes_in_the_text_of_somebody_who_may_learns_nothing_either(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """Bob may edit alice's issue, and not read what she may."""
    async with scene(forge_server, tmp_path) as play:
        number = await play.probe("alice", "Nothing yet.")
        await play.work.until(number, "status/ready", *LABELS, headline="Ready")
        said = []
        for ref in play.refs.values():
            path = f"/repos/{play.work.repo}/issues/{number}"
            body = {"body": f"Blocked by: {ref}\n\n{SIZE}"}
            await forge_server.api("bob").do("PATCH", path, body)
            look = await play.work.until(
                number, "status/blocked", *LABELS, headline="Blocked", says=f"`{ref}` cannot be"
            )
            said.append(play.plain(look.report, ref))
        assert 1 == len(set(said))


async def test_where_the_bot_cannot_ask_who_may_nobody_learns_anything(
    forge_server: ForgeServer, tmp_path: Path
) -> None:
    """It is no administrator of either repository: not even alice's word counts."""
    async with scene(forge_server, tmp_path, right="write") as play:
        said = []
        for ref in play.refs.values():
            number = await play.probe("alice", f"Blocked by: {ref}")
            look = await play.work.until(number, "status/blocked", *LABELS, headline="Blocked")
            said.append(play.plain(look.report, ref))
        assert 1 == len(set(said))
