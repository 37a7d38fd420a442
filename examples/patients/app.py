"""Patients of a ward: an ordinary Flask application on PostgreSQL. That two of the columns are encrypted is nowhere in it: the statements are
those of any application, and its certificate is its login.

APPLICATION_DATABASE is how it connects, through the enclave. OWNER_DATABASE is how somebody connects who holds the database: one page shows
what he sees, and nothing else uses it.
"""

import os

import psycopg
from flask import Flask, redirect, render_template, request, url_for
from psycopg.rows import dict_row

LONGEST = {"name": 100, "email": 200, "diagnosis": 1_000}
NUL, UNREADABLE = "\0", "\N{REPLACEMENT CHARACTER}"
READ = "SELECT id, name, email, diagnosis FROM patients"
SAVE = """INSERT INTO patients (id, name, email, diagnosis) VALUES (%(id)s, %(name)s, %(email)s, %(diagnosis)s)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, diagnosis = excluded.diagnosis"""

app = Flask(__name__)


def ask(statement, values=None, database="APPLICATION_DATABASE"):
    with psycopg.connect(os.environ[database], row_factory=dict_row) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def read_form(form):
    """The patient of a form, and what is wrong with it, by field."""
    patient = {field: form.get(field, "").strip() for field in ("id", *LONGEST)}
    errors = {}
    if not patient["id"].isdecimal() or not 1 <= int(patient["id"]) <= 2_147_483_647:
        errors["id"] = "Enter a whole number from 1."
    for field, longest in LONGEST.items():
        if not patient[field]:
            errors[field] = "Fill this in."
        elif len(patient[field]) > longest:
            errors[field] = f"At most {longest} characters."
        elif NUL in patient[field]:
            patient[field] = patient[field].replace(NUL, UNREADABLE)
            errors[field] = "Leave out the character NUL: no text of PostgreSQL can have it."
    return patient, errors


def page(patient=None, errors=None, status=200):
    email = request.args.get("email", "").strip().replace(NUL, UNREADABLE)
    saved = request.args.get("saved", "")
    if email:
        patients = ask(f"{READ} WHERE email = %(email)s ORDER BY id", {"email": email})
    else:
        patients = ask(f"{READ} ORDER BY id LIMIT 100")
    return render_template(
        "patients.html",
        patients=patients,
        email=email,
        saved=saved if saved.isdecimal() else "",
        patient=patient or {},
        errors=errors or {},
        longest=LONGEST,
    ), status


@app.get("/")
def patients():
    return page()


@app.post("/patients")
def save():
    patient, errors = read_form(request.form)
    if errors:
        return page(patient, errors, 422)
    ask(SAVE, patient | {"id": int(patient["id"])})
    return redirect(url_for("patients", saved=patient["id"]), 303)


@app.get("/database")
def database():
    rows = ask(f"{READ} ORDER BY id LIMIT 100", database="OWNER_DATABASE")
    return render_template("database.html", rows=rows, bytes=bytes)


@app.after_request
def harden(response):
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
