"""psycopg 3 goes through the checks."""

import psycopg
from checks import CA, CERT, DATABASE, HOST, KEY, PORT, USER, equal, libpq_version, run_checks
from dbapi import INSERT, SELECT, DbApi


def connect(ca=CA):
    return psycopg.connect(
        host=HOST, port=PORT, user=USER, dbname=DATABASE, sslmode="verify-full", sslrootcert=ca, sslcert=CERT, sslkey=KEY
    )


client = DbApi(connect, lambda error: getattr(error, "sqlstate", None))
connection = client.connection


def binary():
    cursor = connection.cursor(binary=True)
    cursor.execute(INSERT.replace("%s", "%b"), (3, "Edsger", "Edsger", "Edsger"))
    cursor.execute(SELECT.replace("%s", "%b"), (3,))
    equal(cursor.fetchall(), [("Edsger", "Edsger", "Edsger")])
    connection.commit()


def prepared():
    cursor = connection.cursor()
    for n in range(50):
        cursor.execute(INSERT, (100 + n, f"name {n}", "flu", "plain"), prepare=True)
        cursor.execute(SELECT, (100 + n,), prepare=True)
        equal(cursor.fetchall(), [(f"name {n}", "flu", "plain")])
    connection.commit()


def pipeline():
    with connection.pipeline():
        for n in range(10):
            connection.execute(INSERT, (300 + n, f"name {n}", "", ""))
    connection.commit()
    equal(client.names(300, 309), [f"name {n}" for n in range(10)])


def cancel(sleeper):
    # Over TLS from psycopg 3.2 with libpq 17 on.
    getattr(sleeper, "cancel_safe", sleeper.cancel)()


run_checks(
    psycopg.__version__,
    f"{libpq_version(psycopg.pq.version())}, {psycopg.pq.__impl__}",
    {
        **client.checks(),
        "parameters-binary": binary,
        "prepared-50": prepared,
        "pipeline": pipeline,
        "cancel": client.cancel_with(cancel),
    },
)
connection.close()
