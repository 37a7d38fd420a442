"""Django's ORM on psycopg 3 goes through the checks."""

import threading

import django
import psycopg
from checks import CA, CERT, DATABASE, ESCAPES, HOST, KEY, LARGE, PORT, UNICODE, USER, WRONG_CA, absent, equal, refusal
from checks import libpq_version, run_checks, until
from django.conf import settings


def database(ca=CA):
    files = {"sslmode": "verify-full", "sslrootcert": ca, "sslcert": CERT, "sslkey": KEY}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": HOST,
        "PORT": PORT,
        "USER": USER,
        "NAME": DATABASE,
        "OPTIONS": files,
    }


settings.configure(DATABASES={"default": database(), "second": database(), "distrusting": database(WRONG_CA)})
django.setup()

from django.db import IntegrityError, OperationalError, connection, connections, models, transaction  # noqa: E402


class Patient(models.Model):
    id = models.IntegerField(primary_key=True)
    name = models.TextField(null=True)
    diagnosis = models.TextField(null=True)
    note = models.TextField(null=True)

    class Meta:
        app_label = "clinic"
        db_table = "patients"
        managed = False


def patient(id, value):
    return Patient(id=id, name=value, diagnosis=value, note=value)


def load(id, using="default"):
    return Patient.objects.using(using).values_list("name", "diagnosis", "note").get(id=id)


def keeps(id, value, using="default"):
    patient(id, value).save(using=using)
    equal(load(id, using), (value, value, value))


def ask(statement, using="default"):
    with connections[using].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None


def names(first, last):
    return list(Patient.objects.filter(id__range=(first, last)).order_by("id").values_list("name", flat=True))


def literals():
    ask("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')")
    equal(load(1), ("Ada", "gout", "plain"))


def search():
    keeps(4, "Barbara")
    equal(list(Patient.objects.filter(name="Barbara").values_list("id", flat=True)), [4])
    equal(Patient.objects.filter(name="barbara").exists(), False)


def batch():
    Patient.objects.bulk_create(patient(200 + n, f"name {n}") for n in range(20))
    equal(names(200, 219), [f"name {n}" for n in range(20)])
    return "bulk_create, which sends INSERT … SELECT * FROM UNNEST(arrays) from Django 5.2 on"


def update():
    keeps(12, "before")
    changed = Patient.objects.get(id=12)
    changed.name = "after"
    changed.save()
    Patient.objects.filter(id=12).update(diagnosis="then")
    equal(load(12), ("after", "then", "before"))


def rollback():
    for id, undo in ((13, True), (14, False)):
        with transaction.atomic():
            keeps(id, "transaction")
            transaction.set_rollback(undo)
    equal(names(13, 14), ["transaction"])


def active(pid, condition=""):
    return bool(ask(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} {condition}"))


def cancel():
    pids, states = [], []
    started = threading.Event()
    sleeper = []

    def sleep():
        pids.append(ask("SELECT pg_backend_pid()")[0][0])
        sleeper.append(connection.connection)
        started.set()
        try:
            ask("SELECT pg_sleep(60)")
        except OperationalError as error:
            states.append(error.__cause__.sqlstate)
        pids.append(ask("SELECT pg_backend_pid()")[0][0])
        connection.close()

    thread = threading.Thread(target=sleep)
    thread.start()
    started.wait()
    until(lambda: active(pids[0], "AND wait_event = 'PgSleep'"))
    sleeper[0].cancel_safe()
    thread.join()
    equal(states, ["57014"])
    equal(pids[0], pids[1])
    return "with psycopg's cancel_safe"


def error():
    Patient.objects.create(id=15, name="once")
    try:
        with transaction.atomic():
            Patient.objects.create(id=15, name="twice")
        raise AssertionError("a second row of the same key was taken")
    except IntegrityError as error:
        equal(error.__cause__.sqlstate, "23505")
    equal(names(15, 15), ["once"])


def two_connections():
    keeps(16, "first")
    keeps(17, "second", "second")
    equal([load(16, "second"), load(17)], [("first",) * 3, ("second",) * 3])
    connections["second"].close()


def close():
    ((pid,),) = ask("SELECT pg_backend_pid()", "second")
    connections["second"].close()
    until(lambda: not active(pid))


run_checks(
    django.get_version(),
    f"ORM on psycopg {psycopg.__version__}, {libpq_version(psycopg.pq.version())}; parameters made literals by the client",
    {
        "connect": lambda: equal(ask("SELECT 1"), [(1,)]),
        "literals": literals,
        "parameters-text": lambda: keeps(2, "Grace"),
        "parameters-binary": absent("sends no parameters unless told to"),
        "search": search,
        "prepared-50": absent("prepares nothing unless told to"),
        "batch": batch,
        "pipeline": absent("has no pipelines"),
        "null": lambda: keeps(5, None),
        "empty": lambda: keeps(6, ""),
        "unicode": lambda: keeps(7, UNICODE),
        "escapes": lambda: keeps(8, ESCAPES),
        "large": lambda: keeps(10, LARGE),
        "returning": absent("uses RETURNING for generated keys only"),
        "update": update,
        "rollback": rollback,
        "cancel": cancel,
        "error": error,
        "two-connections": two_connections,
        "close": close,
        "wrong-ca": lambda: refusal(connections["distrusting"].ensure_connection),
    },
)
connections.close_all()
