"""What the programs in Python share: the connection that they are told of, and the lines in which they tell how it went."""

import json
import os
import platform
from pathlib import Path


def given(name):
    return os.environ[f"CLIENT_{name}"]


HOST, PORT, USER, DATABASE = given("HOST"), int(given("PORT")), given("USER"), given("DATABASE")
CA, CERT, KEY, WRONG_CA = given("CA"), given("CERT"), given("KEY"), given("WRONG_CA")
UNICODE, ESCAPES = given("UNICODE"), given("ESCAPES")
LARGE = "xyz€0123" * 12_500

CHECKS = [each["check"] for each in json.loads((Path(__file__).parent.parent / "checks.json").read_text("utf-8"))]


class Absent(Exception):
    """The client has no such thing."""


def absent(reason):
    def check():
        raise Absent(reason)

    return check


def outcome(check, run):
    try:
        detail = run()
        return {"check": check, "ok": True, "detail": detail if isinstance(detail, str) else ""}
    except Absent as reason:
        return {"check": check, "ok": None, "detail": str(reason)}
    except Exception as error:
        return {"check": check, "ok": False, "detail": f"{type(error).__name__}: {error}"}


def tell(line):
    print(json.dumps(line), flush=True)


def run_checks(version, mode, checks):
    tell({"version": version, "runtime": f"Python {platform.python_version()}", "mode": mode})
    for check in CHECKS:
        tell(outcome(check, checks[check]))


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"found {str(found)[:200]!r}, expected {str(expected)[:200]!r}")


def until(ask):
    """Asks until the answer is yes, one question after the other."""
    for _ in range(20_000):
        if ask():
            return
    raise AssertionError("20,000 questions were answered with no")


def refusal(connect):
    """What a connection with the wrong authority failed with."""
    try:
        connect()
    except Exception as error:
        return str(error)
    raise AssertionError("it was not refused")


def libpq_version(number):
    return f"libpq {number // 10_000}.{number % 10_000}"
