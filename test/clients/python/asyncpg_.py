"""asyncpg goes through the checks."""

import asyncio
import ssl

import asyncpg
from checks import CA, CERT, DATABASE, ESCAPES, HOST, KEY, LARGE, PORT, UNICODE, USER, WRONG_CA, absent, equal, run_checks

INSERT = "INSERT INTO patients (id, name, diagnosis, note) VALUES ($1, $2, $3, $4)"
SELECT = "SELECT name, diagnosis, note FROM patients WHERE id = $1"
loop = asyncio.new_event_loop()


def connect(ca=CA):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(CERT, KEY)
    return asyncpg.connect(host=HOST, port=PORT, user=USER, database=DATABASE, ssl=context)


def waited(function):
    return lambda *values: loop.run_until_complete(function(*values))


connection = loop.run_until_complete(connect())


async def ask(statement, *values, by=None):
    return [tuple(row) for row in await (by or connection).fetch(statement, *values)]


async def keeps(id, value, by=None):
    await (by or connection).execute(INSERT, id, value, value, value)
    equal(await ask(SELECT, id, by=by), [(value, value, value)])


async def names(first, last):
    rows = await ask("SELECT name FROM patients WHERE id BETWEEN $1 AND $2 ORDER BY id", first, last)
    return [name for (name,) in rows]


async def until_found(found, condition, pid):
    for _ in range(20_000):
        if bool(await ask(f"SELECT 1 FROM pg_stat_activity WHERE pid = $1 {condition}", pid)) == found:
            return
    raise AssertionError("20,000 questions were answered with no")


async def connects():
    equal(await ask("SELECT 1"), [(1,)])


async def literals():
    await connection.execute("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')")
    equal(await ask("SELECT name, diagnosis, note FROM patients WHERE id = 1"), [("Ada", "gout", "plain")])


async def search():
    await connection.execute(INSERT, 4, "Barbara", "flu", "")
    equal(await ask("SELECT id FROM patients WHERE name = $1", "Barbara"), [(4,)])
    equal(await ask("SELECT id FROM patients WHERE name = $1", "barbara"), [])
    equal(await ask("SELECT id FROM patients WHERE name = 'Barbara'"), [(4,)])


async def prepared():
    store, load = await connection.prepare(INSERT), await connection.prepare(SELECT)
    for n in range(50):
        await store.fetch(100 + n, f"name {n}", "flu", "plain")
        equal([tuple(row) for row in await load.fetch(100 + n)], [(f"name {n}", "flu", "plain")])


async def batch():
    await connection.executemany(INSERT, [(200 + n, f"name {n}", "flu", "plain") for n in range(20)])
    equal(await names(200, 219), [f"name {n}" for n in range(20)])


async def returning():
    found = await ask(f"{INSERT} RETURNING id, name, diagnosis", 11, "Alan", "cold", "")
    equal(found, [(11, "Alan", "cold")])


async def update():
    await connection.execute(INSERT, 12, "before", "before", "before")
    await connection.execute("UPDATE patients SET name = $1, diagnosis = $2 WHERE id = $3", "after", "then", 12)
    equal(await ask(SELECT, 12), [("after", "then", "before")])


async def rollback():
    for id, end in ((13, "rollback"), (14, "commit")):
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(INSERT, id, end, "", "")
        await getattr(transaction, end)()
    equal(await names(13, 14), ["commit"])


async def cancel():
    sleeper = await connect()
    pid = sleeper.get_server_pid()
    sleeping = asyncio.ensure_future(sleeper.fetch("SELECT pg_sleep(60)"))
    await until_found(True, "AND wait_event = 'PgSleep'", pid)
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    equal(sleeping.cancelled(), True)
    equal(await sleeper.fetchval("SELECT pg_backend_pid()"), pid)
    await sleeper.close()


async def error():
    await connection.execute(INSERT, 15, "once", "", "")
    try:
        await connection.execute(INSERT, 15, "twice", "", "")
        raise AssertionError("a second row of the same key was taken")
    except asyncpg.PostgresError as error:
        equal(error.sqlstate, "23505")
    equal(await names(15, 15), ["once"])


async def two_connections():
    second = await connect()
    await keeps(16, "first")
    await keeps(17, "second", second)
    equal(await ask(SELECT, 16, by=second), [("first", "first", "first")])
    equal(await names(17, 17), ["second"])
    await second.close()


async def close():
    second = await connect()
    pid = second.get_server_pid()
    await second.close()
    await until_found(False, "", pid)


async def wrong_ca():
    try:
        await connect(WRONG_CA)
    except Exception as error:
        return str(error)
    raise AssertionError("it was not refused")


def kept(id, value):
    return lambda: waited(keeps)(id, value)


def binary():
    waited(keeps)(3, "Edsger")
    return "always"


run_checks(
    asyncpg.__version__,
    "prepared statements of its own, binary",
    {
        "connect": waited(connects),
        "literals": waited(literals),
        "parameters-text": absent("sends binary only"),
        "parameters-binary": binary,
        "search": waited(search),
        "prepared-50": waited(prepared),
        "batch": waited(batch),
        "pipeline": absent("pipelines within executemany only"),
        "null": kept(5, None),
        "empty": kept(6, ""),
        "unicode": kept(7, UNICODE),
        "escapes": kept(8, ESCAPES),
        "large": kept(10, LARGE),
        "returning": waited(returning),
        "update": waited(update),
        "rollback": waited(rollback),
        "cancel": waited(cancel),
        "error": waited(error),
        "two-connections": waited(two_connections),
        "close": waited(close),
        "wrong-ca": waited(wrong_ca),
    },
)
waited(connection.close)()
