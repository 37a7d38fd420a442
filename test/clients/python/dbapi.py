"""The checks as a client of PEP 249 does them. What PEP 249 does not say (`cancel`, pipelines, …) the client's own program adds."""

import threading

from checks import ESCAPES, LARGE, UNICODE, WRONG_CA, absent, equal, refusal, until

INSERT = "INSERT INTO patients (id, name, diagnosis, note) VALUES (%s, %s, %s, %s)"
SELECT = "SELECT name, diagnosis, note FROM patients WHERE id = %s"


class DbApi:
    """`connect(ca)` connects with default settings; `sqlstate(error)` reads the code of the client's errors."""

    def __init__(self, connect, sqlstate):
        self.connect = connect
        self.sqlstate = sqlstate
        self.connection = connect()

    def ask(self, statement, values=(), connection=None):
        connection = connection or self.connection
        cursor = connection.cursor()
        cursor.execute(statement, values) if values else cursor.execute(statement)
        rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else None
        cursor.close()
        connection.commit()
        return rows

    def keeps(self, id, value, connection=None):
        self.ask(INSERT, (id, value, value, value), connection)
        equal(self.ask(SELECT, (id,), connection), [(value, value, value)])

    def names(self, first, last):
        rows = self.ask("SELECT name FROM patients WHERE id BETWEEN %s AND %s ORDER BY id", (first, last))
        return [name for (name,) in rows]

    def pid(self, connection):
        return self.ask("SELECT pg_backend_pid()", (), connection)[0][0]

    def sleeps(self, pid):
        return bool(self.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'", (pid,)))

    def connects(self):
        equal(self.ask("SELECT 1"), [(1,)])

    def literals(self):
        self.ask("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')")
        equal(self.ask("SELECT name, diagnosis, note FROM patients WHERE id = 1"), [("Ada", "gout", "plain")])

    def search(self):
        self.ask(INSERT, (4, "Barbara", "flu", ""))
        equal(self.ask("SELECT id FROM patients WHERE name = %s", ("Barbara",)), [(4,)])
        equal(self.ask("SELECT id FROM patients WHERE name = %s", ("barbara",)), [])
        equal(self.ask("SELECT id FROM patients WHERE name = 'Barbara'"), [(4,)])

    def batch(self):
        cursor = self.connection.cursor()
        cursor.executemany(INSERT, [(200 + n, f"name {n}", "flu", "plain") for n in range(20)])
        cursor.close()
        self.connection.commit()
        equal(self.names(200, 219), [f"name {n}" for n in range(20)])

    def returning(self):
        equal(self.ask(f"{INSERT} RETURNING id, name, diagnosis", (11, "Alan", "cold", "")), [(11, "Alan", "cold")])

    def update(self):
        self.ask(INSERT, (12, "before", "before", "before"))
        self.ask("UPDATE patients SET name = %s, diagnosis = %s WHERE id = %s", ("after", "then", 12))
        equal(self.ask(SELECT, (12,)), [("after", "then", "before")])

    def rollback(self):
        for id, end in ((13, self.connection.rollback), (14, self.connection.commit)):
            cursor = self.connection.cursor()
            cursor.execute(INSERT, (id, "transaction", "", ""))
            cursor.close()
            end()
        equal(self.names(13, 14), ["transaction"])

    def cancel_with(self, cancel):
        """`cancel(connection)` is called while the connection's statement runs."""

        def check():
            sleeper = self.connect()
            pid = self.pid(sleeper)
            codes = []

            def sleep():
                try:
                    self.ask("SELECT pg_sleep(60)", (), sleeper)
                except Exception as error:
                    codes.append(self.sqlstate(error))

            thread = threading.Thread(target=sleep)
            thread.start()
            until(lambda: self.sleeps(pid))
            cancel(sleeper)
            thread.join()
            equal(codes, ["57014"])
            sleeper.rollback()
            equal(self.pid(sleeper), pid)
            sleeper.close()

        return check

    def error(self):
        self.ask(INSERT, (15, "once", "", ""))
        try:
            self.ask(INSERT, (15, "twice", "", ""))
            raise AssertionError("a second row of the same key was taken")
        except Exception as error:
            equal(self.sqlstate(error), "23505")
        self.connection.rollback()
        equal(self.names(15, 15), ["once"])

    def two_connections(self):
        second = self.connect()
        self.keeps(16, "first")
        self.keeps(17, "second", second)
        equal(self.ask(SELECT, (16,), second), [("first", "first", "first")])
        equal(self.names(17, 17), ["second"])
        second.close()

    def close(self):
        second = self.connect()
        pid = self.pid(second)
        second.close()
        until(lambda: not self.ask("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)))

    def prepared(self):
        for n in range(50):
            self.keeps(100 + n, f"name {n}")

    def checks(self):
        return {
            "connect": self.connects,
            "literals": self.literals,
            "parameters-text": lambda: self.keeps(2, "Grace"),
            "parameters-binary": absent("sends text only"),
            "search": self.search,
            "prepared-50": self.prepared,
            "batch": self.batch,
            "pipeline": absent("has no pipelines"),
            "null": lambda: self.keeps(5, None),
            "empty": lambda: self.keeps(6, ""),
            "unicode": lambda: self.keeps(7, UNICODE),
            "escapes": lambda: self.keeps(8, ESCAPES),
            "large": lambda: self.keeps(10, LARGE),
            "returning": self.returning,
            "update": self.update,
            "rollback": self.rollback,
            "cancel": absent("cannot cancel"),
            "error": self.error,
            "two-connections": self.two_connections,
            "close": self.close,
            "wrong-ca": lambda: refusal(lambda: self.connect(WRONG_CA)),
        }
