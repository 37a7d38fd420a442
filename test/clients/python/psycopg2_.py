"""psycopg2 goes through the checks."""

import psycopg2
from checks import CA, CERT, DATABASE, HOST, KEY, PORT, USER, absent, libpq_version, run_checks
from dbapi import DbApi


def connect(ca=CA):
    return psycopg2.connect(
        host=HOST, port=PORT, user=USER, dbname=DATABASE, sslmode="verify-full", sslrootcert=ca, sslcert=CERT, sslkey=KEY
    )


client = DbApi(connect, lambda error: getattr(error, "pgcode", None))
run_checks(
    psycopg2.__version__.split()[0],
    f"{libpq_version(psycopg2.extensions.libpq_version())}, parameters made literals by the client",
    {
        **client.checks(),
        "prepared-50": absent("prepares nothing"),
        "cancel": client.cancel_with(lambda sleeper: sleeper.cancel()),
    },
)
client.connection.close()
