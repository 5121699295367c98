"""The application: every part, put together. The only place that knows everything."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ai import Reader
from bot.clock_step import ClockStep
from bot.commander import Commander, Manners
from bot.commands import Commands, discover_commands
from bot.config import NEEDED, Settings, lacking
from bot.coordinator import Coordinator, Rules
from bot.counter import Counter
from bot.edges import EdgeKeeper
from bot.engine import Engine
from bot.errors import (
    ConfigError,
    Forbidden,
    GiteaError,
    Permanent,
    Retryable,
)
from bot.estimator import SizeLimits
from bot.freshness import Freshness
from bot.gitea.api import GiteaAPI
from bot.gitea.client import Gitea
from bot.gitea.models import User
from bot.heartbeat import Heartbeat, lease_of, process_name
from bot.herald import Herald
from bot.housekeeping import Housekeeping
from bot.jobs import RetryPolicy
from bot.judgement import judgement
from bot.lease import Lease
from bot.metrics import Metrics
from bot.mirror import Mirror
from bot.models import IssueRef
from bot.naming import Naming
from bot.onlooker import Onlooker, server_size
from bot.parser import references
from bot.policies import Policies
from bot.policy import Site
from bot.publish import Labels, StickyComment
from bot.publisher import Publisher
from bot.recheck import Recheck
from bot.render import Renderer
from bot.repositories import Repositories
from bot.routes import Routes
from bot.routing import discover
from bot.schedule import Schedule
from bot.store.alone import alone
from bot.store.database import opened, sqlite_path
from bot.store.forgetting import Forgetting
from bot.store.graph import ResidentGraph
from bot.store.naming import NameStore
from bot.store.natives import NativesStore
from bot.store.policies import PolicyStore
from bot.store.queries import Store
from bot.store.replicas import Replicas
from bot.store.sayings import SayingsStore
from bot.store.watching import Watching
from bot.surroundings import Surveyor
from bot.ticks import Ticks
from bot.webhook import Webhook
from bot.worker import Worker, hear, partition, retried

log = structlog.get_logger(__name__)

GREET_SECONDS = 3.0  # Gitea sends nothing twice: what comes while it starts must find us listening
EVENT_SECONDS = 10.0  # from a tick to its webhook: by that it is known whose it is


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@dataclass
class Bot:
    """One running bot: its parts, and who it is once Gitea has said so."""

    settings: Settings
    gitea: GiteaAPI
    store: Store
    natives: NativesStore
    graph: ResidentGraph
    engine: Engine
    repositories: Repositories
    policies: Policies
    naming: Naming
    metrics: Metrics
    reader: Reader | None
    sayings: SayingsStore
    watching: Watching
    housekeeping: Housekeeping
    onlooker: Onlooker
    commands: Commands
    now: Callable[[], datetime]
    step: ClockStep
    stopping: bool = False
    _me: User | None = None
    _coordinator: Coordinator | None = None
    _commander: Commander | None = None
    _recheck: Recheck | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def login(self) -> str | None:
        """The bot's login, once it is known."""
        return self._me.login if self._me else None

    @property
    def bot(self) -> User:
        """The bot's user."""
        assert self._me is not None
        return self._me

    @property
    def coordinator(self) -> Coordinator:
        """Keeps the reports true."""
        assert self._coordinator is not None
        return self._coordinator

    @property
    def commander(self) -> Commander:
        """Does what people ask for in comments."""
        assert self._commander is not None
        return self._commander

    @property
    def recheck(self) -> Recheck:
        """Finds what was missed."""
        assert self._recheck is not None
        return self._recheck

    async def core(self) -> Bot:
        """This bot, when it knows who it is. Raises GiteaError while that cannot be asked."""
        async with self._asking:
            if self._me is None:
                me = await self._who()
                self._build(me)
                self._me = me
                log.info("gitea.connected", bot=me.login, gitea=self.settings.gitea.url)
        return self

    async def _who(self) -> User:
        """Who the bot is. A wrong token, too, may be put right by somebody: work waits for it."""
        try:
            me = await self.gitea.me()
        except Permanent as error:
            raise Retryable(
                error.message, status=error.status, method=error.method, path=error.path
            ) from None
        with suppress(Forbidden):  # a token of the least scopes may not ask; then it is 50
            await self.gitea.settle()
        return me

    def _build(self, me: User) -> None:
        settings = self.settings
        surveyor = Surveyor(self.gitea, self.store, self.repositories, self.graph)
        renderer = Renderer()
        publisher = Publisher(
            comment=StickyComment(self.gitea, me),
            labels=Labels(self.gitea, self.store),
            site=self.policies.site.policy,
            renderer=renderer,
            sayings=self.sayings,
            observer=self.metrics,
            ticks=Ticks(self.sayings),
            hear=self.hear,
        )
        edges = EdgeKeeper(
            store=self.store,
            sayings=self.sayings,
            mirror=Mirror(gitea=self.gitea, memory=self.natives, links=self.sayings, bot=me.id),
            surveyor=surveyor,
            proposals=settings.ai.dependencies,
        )
        self._coordinator = Coordinator(
            gitea=self.gitea,
            store=self.store,
            repositories=self.repositories,
            surveyor=surveyor,
            policies=self.policies,
            naming=self.naming,
            edges=edges,
            publisher=publisher,
            herald=Herald(self.gitea, renderer, me),
            watching=self.watching,
            bot=me,
            rules=_rules(settings),
            reader=self.reader,
            sayings=self.sayings,
            clock=self.forge_time,
        )
        desk = Counter(
            store=self.store,
            sayings=self.sayings,
            gitea=self.gitea,
            examiner=self._coordinator,
            surveyor=surveyor,
            agents=settings.roster,
            commands=self.commands,
            bot=me.login,
            references=partial(references, hosts=settings.gitea.hosts or None),
            put_back=self.put_back,
            policy=self.policies.of,
            splitter=self.reader,
        )
        self._commander = Commander(
            gitea=self.gitea,
            ledger=self.sayings,
            commands=self.commands,
            desk=desk,
            renderer=renderer,
            bot=me,
            manners=Manners(
                bots=frozenset(name.lower() for name in settings.commands.bots),
                per_hour=settings.commands.per_hour,
                remembered=settings.commands_kept,
                catch_up=settings.catch_up,
            ),
            archived=self.repositories.archived,
            policy=self.policies.at_hand,
            now=self.now,
            clock=self.forge_time,
        )
        self._recheck = Recheck(
            gitea=self.gitea,
            store=self.store,
            watching=self.watching,
            listener=self._commander,
            names=self.naming,
            policies=self.policies,
            observer=self.metrics,
            bot=me.id,
            catch_up=settings.catch_up,
            judgement=judgement(settings),
            now=self.now,
        )

    def forge_time(self) -> datetime:
        """Gitea's time; an hour before this machine's, where Gitea does not tell it."""
        now = self.now()
        return self.gitea.time(now) or now - timedelta(hours=1)

    async def hear(self, issue: IssueRef, comments: Collection[int]) -> None:
        """Have comments of an issue heard, unless their events come in the meantime."""
        job = hear(issue, [*comments], stamp=uuid.uuid4().hex)
        await self.engine.submit(job, delay=EVENT_SECONDS)

    async def put_back(self, issue: IssueRef) -> int:
        """Do again what failed on an issue; how many pieces of work that is."""
        found = [f for f in await self.store.failures() if f.about == partition(issue)]
        for failure in found:
            await self.engine.submit(retried(failure, self.now()))
            await self.store.forget_failure(failure.id)
        return len(found)


def _rules(settings: Settings) -> Rules:
    limits = settings.limits
    return Rules(
        limits=SizeLimits(limits.small, limits.medium, limits.large),
        dependencies=limits.dependencies,
        hosts=settings.gitea.hosts,
    )


def require(settings: Settings, *, receiving: bool = True) -> None:
    """Raise ConfigError unless everything is set that serving needs; `receiving` webhooks, too."""
    missing = [
        f"{name} is not set: {NEEDED[name]}" for name in lacking(settings, receiving=receiving)
    ]
    if missing:
        raise ConfigError("\n".join(missing))


@asynccontextmanager
async def running(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[tuple[Bot, web.Application]]:
    """A bot at work, and the application that receives for it.

    Raises ConfigError or StoreError when it cannot start.
    """
    require(settings)
    async with at_work(settings, now=now) as (bot, worker), AsyncExitStack() as stack:
        schedule = _schedule(bot, worker, now)
        schedule.start()
        stack.callback(schedule.stop)
        await _greet(bot)
        await worker.catch_up(f"start-{uuid.uuid4().hex[:8]}")
        yield bot, _application(bot, worker)
        bot.stopping = True


@asynccontextmanager
async def at_work(
    settings: Settings, *, now: Callable[[], datetime] = utc_now, executor: str = ""
) -> AsyncIterator[tuple[Bot, Worker]]:
    """A bot that does the work of the queue, under the name `executor`; nothing comes in by itself.

    Raises ConfigError or StoreError when it cannot start.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(alone(settings.database_url))
        database = await stack.enter_async_context(opened(settings.database_url))
        metrics = _metrics(settings)
        lease = Lease() if is_alone(settings) else lease_of(settings.queue.dead_after)
        client = gitea_client(settings, metrics, may_write=lease.demand)
        stack.push_async_callback(client.aclose)
        bot = _bot(
            settings,
            GiteaAPI(client),
            database,
            executor,
            metrics=metrics,
            now=now,
            may_write=lease.demand,
        )
        if bot.reader:
            stack.push_async_callback(bot.reader.close)
        worker = _worker(bot, now)
        if not is_alone(settings):
            heartbeat = _heartbeat(bot, Replicas(database, now=now), lease)
            await heartbeat.start()
            stack.push_async_callback(heartbeat.stop)
        await bot.engine.start(worker.work, worker.give_up)
        stack.push_async_callback(bot.engine.stop, settings.server.shutdown)
        yield bot, worker


def _metrics(settings: Settings) -> Metrics:
    ai = settings.ai
    return Metrics(
        prices=(ai.price_in, ai.price_out),
        tokens=ai.daily_tokens,
        database="sqlite" if sqlite_path(settings.database_url) else "postgresql",
    )


def is_alone(settings: Settings) -> bool:
    """Whether one process at a time has the database: a SQLite file."""
    return sqlite_path(settings.database_url) is not None


def _heartbeat(bot: Bot, replicas: Replicas, lease: Lease) -> Heartbeat:
    return Heartbeat(
        name=executor_of(bot.settings),
        queue=bot.engine,
        replicas=replicas,
        lease=lease,
        dead_after=bot.settings.queue.dead_after,
    )


def gitea_client(
    settings: Settings,
    metrics: Metrics | None = None,
    *,
    login: str = "",
    may_write: Callable[[], None] | None = None,
) -> Gitea:
    """A client with the bot's token; with `login`, signed in with a name. Raises ConfigError."""
    gitea = settings.gitea
    return Gitea(
        gitea.url,
        gitea.token,
        timeout=gitea.timeout.total_seconds(),
        connections=gitea.connections,
        ca_file=gitea.ca_file,
        login=login,
        observe=metrics.request if metrics else None,
        may_write=may_write,
    )


def _bot(
    settings: Settings,
    gitea: GiteaAPI,
    database: AsyncEngine,
    executor: str,
    *,
    metrics: Metrics,
    now: Callable[[], datetime],
    may_write: Callable[[], None],
) -> Bot:
    store, repositories = Store(database, now=now, may_write=may_write), Repositories(gitea)
    names = NameStore(database, now=now, may_write=may_write)
    kept = PolicyStore(database, now=now, may_write=may_write)
    watching = Watching(database, now=now, may_write=may_write)
    step = ClockStep(now)
    engine = _engine(settings, executor or executor_of(settings), metrics, step)
    commands = discover_commands()
    site = Site.of(settings, [command.verb for command in commands.shown])
    return Bot(
        settings=settings,
        gitea=gitea,
        store=store,
        natives=NativesStore(database, now=now, may_write=may_write),
        graph=ResidentGraph(database, now=now),
        engine=engine,
        repositories=repositories,
        policies=Policies(gitea, repositories, kept, site),
        naming=Naming(gitea, repositories, names, store),
        metrics=metrics,
        reader=_reader(settings, store, metrics, now),
        sayings=SayingsStore(database, now=now, may_write=may_write),
        watching=watching,
        onlooker=Onlooker(
            settings.database_url,
            queue=engine,
            store=store,
            notes=watching,
            ask_server=server_size(database),
            now=now,
        ),
        housekeeping=Housekeeping(
            settings,
            queue=engine,
            memory=Forgetting(database, now=now, may_write=may_write),
            locks=store,
            notes=watching,
            forge=gitea,
            observer=metrics,
            now=now,
        ),
        commands=commands,
        now=now,
        step=step,
    )


def _worker(bot: Bot, now: Callable[[], datetime]) -> Worker:
    return Worker(
        queue=bot.engine,
        core=bot.core,
        login=lambda: bot.login,
        router=discover("handlers"),
        store=bot.store,
        repositories=bot.repositories,
        policies=bot.policies,
        naming=bot.naming,
        freshness=Freshness(bot.engine.executor, uuid.uuid4().hex[:8]),
        observer=bot.metrics,
        catch_up=bot.settings.catch_up,
        now=now,
    )


def _schedule(bot: Bot, worker: Worker, now: Callable[[], datetime]) -> Schedule:
    every = bot.settings.recheck_every

    async def recheck(tick: str) -> None:
        await worker.recheck(await bot.watching.named(tick, every))

    async def set_back() -> None:
        log.warning("clock.set_back", hint="what is due goes by the clock as it is now")
        await bot.engine.hurry()

    return Schedule(
        every=every,
        recheck=recheck,
        set_back=set_back,
        tidy=bot.housekeeping.tidy,
        failed=lambda error: log.error("schedule.failed", error=str(error)),
        now=now,
        step=bot.step,
    )


def executor_of(settings: Settings) -> str:
    """The name of this replica; the process holds work under one of its own."""
    return settings.queue.executor or socket.gethostname()


def _engine(settings: Settings, name: str, metrics: Metrics, step: ClockStep) -> Engine:
    queue = settings.queue
    return Engine(
        settings.database_url,
        executor=name if is_alone(settings) else process_name(name),
        workers=queue.workers,
        poll=queue.poll,
        policy=RetryPolicy(queue.attempts, queue.first_wait, queue.longest_wait),
        observer=metrics,
        step=step,
    )


def _reader(
    settings: Settings, store: Store, metrics: Metrics, now: Callable[[], datetime]
) -> Reader | None:
    ai = settings.ai
    if not ai.enabled or not ai.api_key.get_secret_value():
        return None
    hosts = settings.gitea.hosts
    return Reader(
        api_key=ai.api_key,
        base_url=ai.base_url,
        model=ai.model,
        daily_tokens=ai.daily_tokens,
        timeout=ai.timeout.total_seconds(),
        max_output_tokens=ai.max_output_tokens,
        max_text=ai.max_text,
        memory=store,
        now=now,
        references=partial(references, hosts=hosts or None),
        observe=metrics.reading,
    )


async def _greet(bot: Bot) -> None:
    """Say at start whether Gitea knows us; go on all the same, for Gitea may be starting too."""
    try:
        async with asyncio.timeout(GREET_SECONDS):
            await bot.core()
    except TimeoutError:
        log.warning("gitea.unavailable", error="it is silent", hint="work is kept until it answers")
    except GiteaError as error:
        hint = "is GITEA_TOKEN right?" if error.status in (401, 403) else "is GITEA_URL right?"
        log.warning("gitea.unavailable", error=str(error), hint=f"{hint} work is kept until then")


def _application(bot: Bot, worker: Worker) -> web.Application:
    settings = bot.settings
    webhook = Webhook(
        secrets=settings.gitea.secrets,
        max_body=settings.server.max_body,
        accept=worker.accept,
        observer=bot.metrics,
    )
    app = web.Application(client_max_size=settings.server.max_body)
    app.router.add_post("/webhook/gitea", webhook.handle)
    Routes(bot).add_to(app.router)
    return app
