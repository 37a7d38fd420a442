"""pg8000 goes through the checks."""

import ssl
from importlib.metadata import version

import pg8000.dbapi
import pg8000.native
from checks import CA, CERT, DATABASE, HOST, KEY, PORT, USER, absent, equal, run_checks
from dbapi import DbApi


def settings(ca):
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(CERT, KEY)
    return {"user": USER, "host": HOST, "port": PORT, "database": DATABASE, "ssl_context": context}


def connect(ca=CA):
    return pg8000.dbapi.connect(**settings(ca))


def prepared():
    connection = pg8000.native.Connection(**settings(CA))
    store = connection.prepare("INSERT INTO patients (id, name, diagnosis, note) VALUES (:id, :name, :diagnosis, :note)")
    load = connection.prepare("SELECT name, diagnosis, note FROM patients WHERE id = :id")
    for n in range(50):
        store.run(id=100 + n, name=f"name {n}", diagnosis="flu", note="plain")
        equal(load.run(id=100 + n), [[f"name {n}", "flu", "plain"]])
    connection.close()
    return "with pg8000.native"


def sqlstate(error):
    return error.args[0].get("C") if error.args and isinstance(error.args[0], dict) else None


client = DbApi(connect, sqlstate)
run_checks(
    version("pg8000"),
    "pure Python, unnamed statements",
    {
        **client.checks(),
        "prepared-50": prepared,
        "cancel": absent("has no cancel"),
    },
)
client.connection.close()
