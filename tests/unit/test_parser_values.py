"""Difficulty, tokens, agent and files: in every shape of writing, and what is none of these."""

from __future__ import annotations

import pytest

from bot.models import Difficulty, IssueRef
from bot.parser import parse

ISSUE = IssueRef("acme", "rocket", 100)
EASY, MEDIUM, HARD = Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD

DIFFICULTY = [
    ("key", "Difficulty: easy", EASY),
    ("bold", "**Difficulty:** Hard", HARD),
    ("bold-out", "**Difficulty**: medium", MEDIUM),
    ("bold-no-colon", "**Difficulty** – hard", HARD),
    ("bullet", "- Difficulty: `medium`", MEDIUM),
    ("heading", "## Difficulty\n\nMedium", MEDIUM),
    ("heading-value", "### Difficulty: Hard", HARD),
    ("heading-emoji", "## 🎯 Difficulty\nEasy", EASY),
    ("form", "### Difficulty\n\nMedium\n\n### Other\n\nHard", MEDIUM),
    ("complexity", "**Complexity**: High", HARD),
    ("complexity-low", "Complexity: low", EASY),
    ("complexity-note", "Complexity: medium (three files)", MEDIUM),
    ("expected", "Expected complexity: medium-high", HARD),
    ("estimated", "Estimated complexity: Low", EASY),
    ("task", "Task difficulty: moderate", MEDIUM),
    ("level", "Difficulty level: Intermediate", MEDIUM),
    ("beginner", "Difficulty: beginner", EASY),
    ("advanced", "Difficulty: Advanced", HARD),
    ("trivial", "Difficulty: trivial.", EASY),
    ("very", "Difficulty: very hard", HARD),
    ("emoji", "Difficulty: 🔴 Hard", HARD),
    ("stars-word", "Difficulty: ⭐⭐ (medium)", MEDIUM),
    ("number-word", "Difficulty: 3/5 - medium", MEDIUM),
    ("range", "Difficulty: easy to medium", MEDIUM),
    ("because", "Difficulty: hard because of locking", HARD),
    ("comma", "Difficulty: Medium, touches the store", MEDIUM),
    ("dash", "Difficulty: Easy - one line", EASY),
    ("checked", "Difficulty:\n- [ ] easy\n- [x] medium\n- [ ] hard", MEDIUM),
    ("checked-heading", "## Difficulty\n- [ ] Easy\n- [ ] Medium\n- [X] Hard", HARD),
    ("checked-line", "Difficulty: [ ] easy [x] hard", HARD),
    ("checked-ballot", "Difficulty: ☐ easy ☑ medium ☐ hard", MEDIUM),
    ("table", "| Difficulty | Hard |\n|---|---|", HARD),
    ("table-row", "| Priority | Difficulty |\n|---|---|\n| High | Easy |", EASY),
    ("table-note", "| Item | Value | Why |\n|---|---|---|\n| Complexity | High | locks |", HARD),
    ("bars", "**Priority:** High | **Difficulty:** Easy | **Area:** UI", EASY),
    ("dots", "Priority: High · Difficulty: Medium · Effort: 3d", MEDIUM),
    ("front-matter", "---\ndifficulty: hard\n---\n", HARD),
    ("front-matter-quoted", '---\ndifficulty: "Easy"\n---\n', EASY),
    ("difficulty-over-complexity", "Complexity: high\nDifficulty: easy", EASY),
    ("implementation", "- Implementation complexity: medium (20000)", MEDIUM),
    ("struck", "Difficulty: ~~easy~~ hard", HARD),
    ("comment", "<!-- easy | medium | hard -->\nDifficulty: hard", HARD),
    ("spanish", "**Dificultad:** Media", MEDIUM),
    ("german", "Schwierigkeit: schwer", HARD),
    ("french", "**Difficulté :** facile", EASY),
    ("japanese", "難易度: 中", MEDIUM),
    ("chinese", "## 难度\n\n简单", EASY),
    ("italic-key", "_Difficulty_: medium", MEDIUM),
    ("upper", "DIFFICULTY: HARD", HARD),
    ("crlf", "## Difficulty\r\n\r\nhard\r\n", HARD),
    # none
    ("scale", "Difficulty: easy | medium | hard", None),
    ("scale-slash", "Difficulty: easy/medium/hard", None),
    ("scale-comma", "Difficulty (easy, medium, hard):", None),
    ("unchecked", "Difficulty:\n- [ ] easy\n- [ ] medium\n- [ ] hard", None),
    ("two-checked", "Difficulty:\n- [x] easy\n- [x] medium", None),
    ("tbd", "Difficulty: TBD", None),
    ("no-response", "### Difficulty\n\n_No response_", None),
    ("empty", "## Difficulty\n\n## Priority\n\nHigh", None),
    ("priority", "Priority: High", None),
    ("risk", "Risk: Low", None),
    ("severity", "Severity: medium", None),
    ("effort", "Effort: Medium", None),
    ("size", "Size: small", None),
    ("points", "Story points: 5", None),
    ("o-n", "Complexity: O(n log n)", None),
    ("time-complexity", "Time complexity: high", None),
    ("cyclomatic", "Cyclomatic complexity: high", None),
    ("gaps", "- **Complexity**: 1 function over the ceiling: complexity 8", None),
    ("number", "Difficulty: 3/5", None),
    ("prose", "The difficulty is that nobody knows.", None),
    ("hard-to-say", "Difficulty: hard to say", None),
    ("not-hard", "Difficulty: not hard", None),
    ("code", "```\nDifficulty: hard\n```", None),
    ("quote", "> Difficulty: hard", None),
    ("hint", "<!-- Difficulty: hard -->", None),
    ("struck-all", "~~Difficulty: hard~~", None),
    ("options-table", "| Option | Complexity |\n|---|---|\n| A | Low |\n| B | High |", None),
    ("example", "## Example\n\nDifficulty: hard", None),
    ("risk-word", "Complexity: low risk", None),
    ("in-word", "Subdifficulty: hard", None),
]

TOKENS = [
    ("plain", "Estimated context: 46000", 46000),
    ("comma", "Estimated context: 46,000 tokens", 46000),
    ("k", "Estimated context: 46k", 46000),
    ("k-space", "Estimated context: 46 k tokens", 46000),
    ("upper-k", "**Estimated tokens:** ~45K", 45000),
    ("m", "Context estimate: 0.12M tokens", 120000),
    ("underscore", "estimated_context: 80_000", 80000),
    ("space", "Context estimate: 46 000 tokens", 46000),
    ("apostrophe", "Context estimate: 46'000 tokens", 46000),
    ("dot", "Context estimate: 46.000 tokens", 46000),
    ("decimal-k", "Token estimate: 12.5k", 12500),
    ("decimal-comma", "Token estimate: 12,5k", 12500),
    ("range", "Context estimate: 20k–30k tokens.", 30000),
    ("range-short", "Context estimate: 20-30k", 30000),
    ("range-to", "Estimated tokens: 20,000 to 30,000", 30000),
    ("range-between", "Estimated context: between 20k and 30k tokens", 30000),
    ("up-to", "Estimated context: up to 30k", 30000),
    ("less", "Estimated context: < 30k tokens", 30000),
    ("plus", "Estimated context: 30k+", 30000),
    ("about", "Estimated context: about 30 thousand tokens", 30000),
    ("section", "## Context Estimate\n\n- **Total estimated: 46000 tokens**", 46000),
    ("section-text", "## Context Estimate\n\n~45k tokens", 45000),
    (
        "section-total",
        "## Context Estimate\n- Implementation: 20k\n- Tests: 10k\n- Total: 46k",
        46000,
    ),
    ("section-parts", "## Context Estimate\n- Implementation: 20000\n- Tests: 10000", 30000),
    ("heading-value", "## Context Estimate: 30k tokens", 30000),
    ("form", "### Estimated tokens\n\n25000", 25000),
    ("estimate-unit", "**Estimate:** 45k tokens", 45000),
    ("estimate-mixed", "Estimate: large (~80k tokens)", 80000),
    ("size-unit", "Size: M (30k tokens)", 30000),
    ("context-unit", "Context: 30k tokens", 30000),
    ("table", "| Estimated tokens | 45,000 |\n|---|---|", 45000),
    ("table-row", "| Difficulty | Context estimate |\n|---|---|\n| easy | 30k |", 30000),
    ("front-matter", "---\ncontext_estimate: 30k\n---\n", 30000),
    ("total-over-part", "Estimated tokens: 20k\nTotal estimated: 46k", 46000),
    ("bars", "Difficulty: easy | Tokens: 30k | Agent: haiku", 30000),
    ("checked", "Context estimate:\n- [ ] <25k\n- [x] 25k-50k\n- [ ] >50k", 50000),
    ("bold-value", "Estimated context: **46k**", 46000),
    ("code-value", "Estimated context: `46k`", 46000),
    ("token-budget", "Token budget: 50k", 50000),
    # none
    ("tbd", "Estimated context: TBD", None),
    ("hours", "Estimate: 3 hours", None),
    ("days", "Estimate: 2-3 days", None),
    ("points", "Estimate: 5 points", None),
    ("points-story", "Story points: 8", None),
    ("bare", "Estimate: 5", None),
    ("per-minute", "Tokens: 1000 tokens per minute", None),
    ("per-slash", "Tokens: 1000/min", None),
    ("rate", "A limiter of 1000 tokens per minute", None),
    ("expire", "API tokens expire after 3600 s.", None),
    ("background", "## Context\n\n2000 users complained about 5k tokens.", None),
    ("background-key", "Context: 2000 users complained", None),
    ("files", "Context: 5 files", None),
    ("window", "Context window: 200k tokens", None),
    ("limit", "Max tokens: 4096", None),
    ("money", "Estimated cost: $500", None),
    ("huge", "Estimated context: 999999999999 tokens", None),
    ("zero", "Estimated context: 0", None),
    ("code", "`Estimated context: 30k`", None),
    ("quote", "> Estimated context: 30k", None),
    ("minutes", "Estimated context switch time: 30 minutes", None),
    ("logs", "## Logs\n\nTotal tokens: 128000", None),
    ("prose", "We spent 45k tokens on it.", None),
    ("loc", "Estimated size: 300 lines", None),
    ("percent", "Context: 30%", None),
]

AGENT = [
    ("key", "Agent: sonnet", "sonnet"),
    ("recommended", "- Recommended agent: Sonnet", "sonnet"),
    ("bold-code", "**Agent:** `opus`", "opus"),
    ("assigned", "Assigned agent: haiku", "haiku"),
    ("suggested-model", "Suggested model: claude-sonnet-4-5", "claude-sonnet-4-5"),
    ("two-words", "Recommended agent: Claude Sonnet", "claude sonnet"),
    ("version", "Recommended agent: Sonnet 4.5", "sonnet 4.5"),
    ("note", "Recommended agent: sonnet (cheap enough)", "sonnet"),
    ("dash-note", "Recommended agent: sonnet - it fits", "sonnet"),
    ("because", "Recommended agent: opus because it is hard", "opus"),
    ("heading", "## Recommended agent\n\nsonnet", "sonnet"),
    ("form", "### Recommended agent\n\nsonnet\n\n### Blocked by\n\n_No response_", "sonnet"),
    ("table", "| Agent | haiku |\n|---|---|", "haiku"),
    ("front-matter", "---\nassigned_agent: sonnet\n---\n", "sonnet"),
    ("front-matter-plain", "---\nagent: glm\n---\n", "glm"),
    ("at", "Agent: @sonnet", "sonnet"),
    ("bar", "Difficulty: easy | Agent: glm | Tokens: 30k", "glm"),
    ("dot-end", "Agent: opus.", "opus"),
    ("emoji", "🤖 **Agent:** sonnet", "sonnet"),
    ("checked", "Recommended agent:\n- [ ] haiku\n- [x] sonnet\n- [ ] opus", "sonnet"),
    # none
    ("none", "Agent: none", None),
    ("tbd", "Recommended agent: TBD", None),
    ("na", "Agent: N/A", None),
    ("unassigned", "Assigned agent: unassigned", None),
    ("any", "Agent: any", None),
    ("dash", "Agent: —", None),
    ("no-response", "### Recommended agent\n\n_No response_", None),
    ("sentence", "Agent: the agent should retry when the call fails", None),
    ("heading-prose", "## Agent\n\nThe agent reads the file and then answers.", None),
    ("two", "Agent: sonnet or opus", None),
    ("two-slash", "Agent: sonnet / opus", None),
    ("two-comma", "Agent: sonnet, opus", None),
    ("assignee", "Assignee: alice", None),
    ("data-model", "Model: User", None),
    ("code", "```\nAgent: sonnet\n```", None),
    ("quote", "> Agent: sonnet", None),
    ("user-agent", "User-Agent: curl", None),
    ("routing", "| Task | Primary agent |\n|---|---|\n| code | opus |\n| docs | haiku |", None),
]

FILES = [
    ("prose", "Change src/app.py and docs/index.md.", ("src/app.py", "docs/index.md")),
    ("code", "See `bot/parser.py:34`", ("bot/parser.py",)),
    ("brackets", "2 files (security.py, webhook.py)", ("security.py", "webhook.py")),
    ("fence-list", "```\nsrc/a.py\nsrc/b.ts\n```", ("src/a.py", "src/b.ts")),
    ("fence-tree", "```\n├── src/a.py\n└── b.ts  # new\n```", ("src/a.py", "b.ts")),
    ("fence-command", "```sh\npython src/a.py | cat x.json\n```", ()),
    ("url", "https://example.com/app.js", ()),
    ("blob", "https://github.com/acme/rocket/blob/main/src/a.py#L5", ("src/a.py",)),
    ("folder", "Add `internal/store/pgstore`.", ("internal/store/pgstore",)),
    ("named", "Edit the Makefile and Dockerfile", ("Makefile", "Dockerfile")),
    ("table", "| File | Change |\n|---|---|\n| src/a.py | x |", ("src/a.py",)),
    ("link", "[the app](src/app.py)", ("src/app.py",)),
    ("anchor", "[the app](#src/app.py)", ()),
    ("dot", "Edit ./src/a.py", ("src/a.py",)),
    ("hidden", "Edit .github/workflows/ci.yml", (".github/workflows/ci.yml",)),
    ("version", "Upgrade to 1.8 and Node.js", ()),
    ("eg", "e.g. this, i.e. that", ()),
    ("quote", "> src/a.py", ()),
    ("home", "It is in ~/.config/x.json", ()),
    ("glob", "all of src/**/*.ts", ()),
    ("twice", "src/a.py, src/a.py", ("src/a.py",)),
]


@pytest.mark.parametrize(
    ("text", "want"), [c[1:] for c in DIFFICULTY], ids=[c[0] for c in DIFFICULTY]
)
def test_difficulty(text: str, want: Difficulty | None) -> None:
    assert want == parse(text, issue=ISSUE).difficulty


@pytest.mark.parametrize(("text", "want"), [c[1:] for c in TOKENS], ids=[c[0] for c in TOKENS])
def test_estimated_context(text: str, want: int | None) -> None:
    assert want == parse(text, issue=ISSUE).estimated_context


@pytest.mark.parametrize(("text", "want"), [c[1:] for c in AGENT], ids=[c[0] for c in AGENT])
def test_assigned_agent(text: str, want: str | None) -> None:
    assert want == parse(text, issue=ISSUE).assigned_agent


@pytest.mark.parametrize(("text", "want"), [c[1:] for c in FILES], ids=[c[0] for c in FILES])
def test_files(text: str, want: tuple[str, ...]) -> None:
    assert want == parse(text, issue=ISSUE).files


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("Files to modify: 3", 3, id="number"),
        pytest.param("- **Files to change:** ~4", 4, id="about"),
        pytest.param("Files affected: 2-3", 3, id="range"),
        pytest.param("Files to modify: a.py, b.py", 2, id="named"),
        pytest.param("Files to modify: several", None, id="vague"),
        pytest.param("Modified files: none", None, id="none"),
    ],
)
def test_files_to_modify(text: str, want: int | None) -> None:
    assert want == parse(text, issue=ISSUE).files_to_modify


def test_the_parts_of_an_estimate() -> None:
    """The seed's own section: each part is kept beside the total."""
    text = (
        "## Context Estimate\n\n- Files to modify: 3\n- Implementation complexity: medium (20000)\n"
        "- Test requirements: 10000\n- **Total estimated: 46000 tokens**\n"
    )
    found = parse(text, issue=ISSUE)
    want = (3, 20000, 10000, 46000, MEDIUM)
    got = (
        found.files_to_modify,
        found.implementation_tokens,
        found.test_tokens,
        found.estimated_context,
        found.difficulty,
    )
    assert want == got
