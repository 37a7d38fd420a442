"""SQLAlchemy's ORM on psycopg 3 goes through the checks."""

import threading

import psycopg
import sqlalchemy
from checks import CA, CERT, DATABASE, ESCAPES, HOST, KEY, LARGE, PORT, UNICODE, USER, WRONG_CA, absent, equal, refusal
from checks import libpq_version, run_checks, until
from sqlalchemy import create_engine, insert, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Patient(Base):
    __tablename__ = "patients"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None]
    diagnosis: Mapped[str | None]
    note: Mapped[str | None]

    def values(self):
        return (self.name, self.diagnosis, self.note)


def engine_for(ca=CA):
    files = {"sslmode": "verify-full", "sslrootcert": ca, "sslcert": CERT, "sslkey": KEY}
    return create_engine(f"postgresql+psycopg://{USER}@{HOST}:{PORT}/{DATABASE}", connect_args=files)


engine = engine_for()


def patient(id, value):
    return Patient(id=id, name=value, diagnosis=value, note=value)


def store(*patients, by=engine):
    with Session(by) as session:
        session.add_all(patients)
        session.commit()


def load(id, by=engine):
    with Session(by) as session:
        return session.get_one(Patient, id).values()


def keeps(id, value, by=engine):
    store(patient(id, value), by=by)
    equal(load(id, by), (value, value, value))


def ask(statement, by=engine):
    with Session(by) as session:
        rows = session.execute(statement)
        found = [tuple(row) for row in rows] if getattr(rows, "returns_rows", True) else None
        session.commit()
        return found


def names(first, last):
    return [name for (name,) in ask(select(Patient.name).where(Patient.id.between(first, last)).order_by(Patient.id))]


def literals():
    ask(text("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')"))
    equal(load(1), ("Ada", "gout", "plain"))


def search():
    store(patient(4, "Barbara"))
    equal(ask(select(Patient.id).where(Patient.name == "Barbara")), [(4,)])
    equal(ask(select(Patient.id).where(Patient.name == "barbara")), [])


def prepared():
    for n in range(50):
        keeps(100 + n, f"name {n}")


def batch():
    store(*(patient(200 + n, f"name {n}") for n in range(20)))
    equal(names(200, 219), [f"name {n}" for n in range(20)])


def returning():
    row = {"id": 11, "name": "Alan", "diagnosis": "cold", "note": ""}
    found = ask(insert(Patient).values(row).returning(Patient.id, Patient.name, Patient.diagnosis))
    equal(found, [(11, "Alan", "cold")])


def updated():
    store(patient(12, "before"), patient(18, "before"))
    with Session(engine) as session:
        session.get_one(Patient, 12).name = "after"
        session.commit()
    ask(update(Patient).where(Patient.id == 18).values(name="after", diagnosis="then"))
    equal([load(12), load(18)], [("after", "before", "before"), ("after", "then", "before")])


def rollback():
    for id, end in ((13, "rollback"), (14, "commit")):
        with Session(engine) as session:
            session.add(patient(id, end))
            session.flush()
            getattr(session, end)()
    equal(names(13, 14), ["commit"])


def active(pid, condition=""):
    return bool(ask(text(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} {condition}")))


def cancel():
    with engine.connect() as sleeper:
        pid = sleeper.scalar(text("SELECT pg_backend_pid()"))
        states = []

        def sleep():
            try:
                sleeper.execute(text("SELECT pg_sleep(60)"))
            except sqlalchemy.exc.DBAPIError as error:
                states.append(error.orig.sqlstate)

        thread = threading.Thread(target=sleep)
        thread.start()
        until(lambda: active(pid, "AND wait_event = 'PgSleep'"))
        sleeper.connection.driver_connection.cancel_safe()
        thread.join()
        equal(states, ["57014"])
        sleeper.rollback()
        equal(sleeper.scalar(text("SELECT pg_backend_pid()")), pid)
    return "with psycopg's cancel_safe"


def error():
    store(patient(15, "once"))
    try:
        store(patient(15, "twice"))
        raise AssertionError("a second row of the same key was taken")
    except sqlalchemy.exc.IntegrityError as error:
        equal(error.orig.sqlstate, "23505")
    equal(names(15, 15), ["once"])


def two_connections():
    second = engine_for()
    keeps(16, "first")
    keeps(17, "second", second)
    equal([load(16, second), load(17)], [("first",) * 3, ("second",) * 3])
    second.dispose()


def close():
    second = engine_for()
    ((pid,),) = ask(text("SELECT pg_backend_pid()"), second)
    second.dispose()
    until(lambda: not active(pid))


run_checks(
    sqlalchemy.__version__,
    f"ORM on psycopg {psycopg.__version__}, {libpq_version(psycopg.pq.version())}; parameters with casts",
    {
        "connect": lambda: equal(ask(select(1)), [(1,)]),
        "literals": literals,
        "parameters-text": lambda: keeps(2, "Grace"),
        "parameters-binary": absent("leaves the format to psycopg"),
        "search": search,
        "prepared-50": prepared,
        "batch": batch,
        "pipeline": absent("has no pipelines"),
        "null": lambda: keeps(5, None),
        "empty": lambda: keeps(6, ""),
        "unicode": lambda: keeps(7, UNICODE),
        "escapes": lambda: keeps(8, ESCAPES),
        "large": lambda: keeps(10, LARGE),
        "returning": returning,
        "update": updated,
        "rollback": rollback,
        "cancel": cancel,
        "error": error,
        "two-connections": two_connections,
        "close": close,
        "wrong-ca": lambda: refusal(engine_for(WRONG_CA).connect),
    },
)
engine.dispose()
