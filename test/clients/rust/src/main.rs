//! tokio-postgres with rustls goes through the checks.

mod checks;

use std::sync::Arc;

use checks::{Absent, Checks, Outcome, equal, given, large, run, told, version};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

const INSERT: &str = "INSERT INTO patients (id, name, diagnosis, note) VALUES ($1, $2, $3, $4)";
const SELECT: &str = "SELECT name, diagnosis, note FROM patients WHERE id = $1";

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

fn tls(authority: &str) -> MakeRustlsConnect {
    let certificates = |name: &str| CertificateDer::pem_file_iter(given(name)).unwrap().map(Result::unwrap);
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(authority));
    let key = PrivateKeyDer::from_pem_file(given("KEY")).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(Arc::new(roots))
        .with_client_auth_cert(certificates("CERT").collect(), key)
        .unwrap();
    MakeRustlsConnect::new(config)
}

/// The task ends when the connection is closed.
async fn connect(authority: &str) -> Result<(Client, JoinHandle<Result<(), Error>>), Error> {
    let mut config = Config::new();
    config.host(given("HOST")).user(given("USER")).dbname(given("DATABASE"));
    config.port(given("PORT").parse().unwrap());
    // The default, prefer, goes on without TLS where a server has none.
    config.ssl_mode(tokio_postgres::config::SslMode::Require);
    let (client, connection) = config.connect(tls(authority)).await?;
    Ok((client, tokio::spawn(connection)))
}

async fn close(client: Client, task: JoinHandle<Result<(), Error>>) -> Result<(), Failure> {
    drop(client);
    Ok(task.await??)
}

type Row = Vec<Option<String>>;

fn row(values: &[&str]) -> Vec<Row> {
    vec![values.iter().map(|value| Some((*value).to_owned())).collect()]
}

async fn texts(client: &Client, statement: &str, values: Values<'_>) -> Result<Vec<Row>, Error> {
    let rows = client.query(statement, values).await?;
    rows.iter()
        .map(|row| (0..row.len()).map(|column| row.try_get(column)).collect())
        .collect()
}

async fn keeps(client: &Client, id: i32, value: Option<&str>) -> Outcome {
    client.execute(INSERT, &[&id, &value, &value, &value]).await?;
    equal(
        texts(client, SELECT, &[&id]).await?,
        vec![vec![value.map(str::to_owned); 3]],
    )?;
    Ok(String::new())
}

fn numbered(count: i32) -> Vec<String> {
    (0..count).map(|n| format!("name {n}")).collect()
}

async fn names(client: &Client, first: i32, last: i32) -> Result<Vec<String>, Error> {
    let statement = "SELECT name FROM patients WHERE id BETWEEN $1 AND $2 ORDER BY id";
    client
        .query(statement, &[&first, &last])
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect()
}

async fn pid(client: &Client) -> Result<i32, Error> {
    client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)
}

async fn until_active(client: &Client, expected: bool, condition: &str, pid: i32) -> Result<(), Failure> {
    let statement = format!("SELECT 1 FROM pg_stat_activity WHERE pid = $1 {condition}");
    for _ in 0..20_000 {
        if client.query(&statement, &[&pid]).await?.is_empty() != expected {
            return Ok(());
        }
    }
    Err("20,000 questions were answered with no".into())
}

async fn literals(client: &Client) -> Outcome {
    client
        .batch_execute("INSERT INTO patients (id, name, diagnosis, note) VALUES (1, 'Ada', 'gout', 'plain')")
        .await?;
    let statement = "SELECT name, diagnosis, note FROM patients WHERE id = 1";
    equal(texts(client, statement, &[]).await?, row(&["Ada", "gout", "plain"]))?;
    Ok(String::new())
}

async fn search(client: &Client) -> Outcome {
    client.execute(INSERT, &[&4, &"Barbara", &"flu", &""]).await?;
    for (name, count) in [("Barbara", 1), ("barbara", 0)] {
        equal(
            client
                .query("SELECT id FROM patients WHERE name = $1", &[&name])
                .await?
                .len(),
            count,
        )?;
        let literal = format!("SELECT id FROM patients WHERE name = '{name}'");
        equal(client.query(&literal, &[]).await?.len(), count)?;
    }
    Ok(String::new())
}

async fn prepared(client: &Client) -> Outcome {
    let (store, load) = (client.prepare(INSERT).await?, client.prepare(SELECT).await?);
    for (id, name) in (100..).zip(numbered(50)) {
        client.execute(&store, &[&id, &name, &name, &name]).await?;
        equal(client.query_one(&load, &[&id]).await?.try_get::<_, String>(0)?, name)?;
    }
    Ok(String::new())
}

/// Both are pipelines: statements are sent while answers are outstanding.
async fn many(client: &Client, first: i32, count: i32) -> Outcome {
    let store = client.prepare(INSERT).await?;
    let (store, names_sent) = (&store, numbered(count));
    let statements = (first..)
        .zip(&names_sent)
        .map(|(id, name)| async move { client.execute(store, &[&id, name, name, name]).await });
    try_join_all(statements).await?;
    equal(names(client, first, first + count - 1).await?, names_sent)?;
    Ok(String::new())
}

async fn returning(client: &Client) -> Outcome {
    let statement = format!("{INSERT} RETURNING name, diagnosis");
    let found = texts(client, &statement, &[&11, &"Alan", &"cold", &""]).await?;
    equal(found, row(&["Alan", "cold"]))?;
    Ok(String::new())
}

async fn update(client: &Client) -> Outcome {
    client.execute(INSERT, &[&12, &"before", &"before", &"before"]).await?;
    let statement = "UPDATE patients SET name = $1, diagnosis = $2 WHERE id = $3";
    client.execute(statement, &[&"after", &"then", &12]).await?;
    equal(texts(client, SELECT, &[&12]).await?, row(&["after", "then", "before"]))?;
    Ok(String::new())
}

async fn rollback() -> Outcome {
    let (mut client, task) = connect("CA").await?;
    for (id, commits) in [(13, false), (14, true)] {
        let transaction = client.transaction().await?;
        transaction.execute(INSERT, &[&id, &"transaction", &"", &""]).await?;
        if commits {
            transaction.commit().await?
        } else {
            transaction.rollback().await?
        }
    }
    equal(names(&client, 13, 14).await?, vec!["transaction".to_owned()])?;
    close(client, task).await?;
    Ok(String::new())
}

async fn cancel(client: &Client) -> Outcome {
    let (sleeper, task) = connect("CA").await?;
    let pid_before = pid(&sleeper).await?;
    let cancelling = async {
        until_active(client, true, "AND wait_event = 'PgSleep'", pid_before).await?;
        sleeper.cancel_token().cancel_query(tls("CA")).await?;
        Ok::<(), Failure>(())
    };
    let (ended, cancelled) = tokio::join!(sleeper.batch_execute("SELECT pg_sleep(60)"), cancelling);
    cancelled?;
    equal(
        ended
            .err()
            .and_then(|error| error.code().map(|code| code.code().to_owned())),
        Some("57014".to_owned()),
    )?;
    equal(pid(&sleeper).await?, pid_before)?;
    close(sleeper, task).await?;
    Ok(String::new())
}

async fn error(client: &Client) -> Outcome {
    client.execute(INSERT, &[&15, &"once", &"", &""]).await?;
    let twice = client.execute(INSERT, &[&15, &"twice", &"", &""]).await;
    equal(
        twice
            .err()
            .and_then(|error| error.code().map(|code| code.code().to_owned())),
        Some("23505".to_owned()),
    )?;
    equal(names(client, 15, 15).await?, vec!["once".to_owned()])?;
    Ok(String::new())
}

async fn two_connections(client: &Client) -> Outcome {
    let (second, task) = connect("CA").await?;
    keeps(client, 16, Some("first")).await?;
    keeps(&second, 17, Some("second")).await?;
    equal(texts(&second, SELECT, &[&16]).await?, row(&["first"; 3]))?;
    equal(texts(client, SELECT, &[&17]).await?, row(&["second"; 3]))?;
    close(second, task).await?;
    Ok(String::new())
}

async fn closes(client: &Client) -> Outcome {
    let (second, task) = connect("CA").await?;
    let pid = pid(&second).await?;
    close(second, task).await?;
    until_active(client, false, "", pid).await?;
    Ok(String::new())
}

async fn wrong_authority() -> Outcome {
    match connect("WRONG_CA").await {
        Ok(_) => Err("it was not refused".into()),
        Err(error) => Ok(told(&error)),
    }
}

async fn connects(client: &Client) -> Outcome {
    equal(client.query_one("SELECT 1", &[]).await?.try_get::<_, i32>(0)?, 1)?;
    Ok("with SslMode::Require; the default goes on in clear where a server has no TLS".to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (client, task) = connect("CA").await?;
    let (unicode, escapes, large) = (given("UNICODE"), given("ESCAPES"), large());
    let checks: Checks = [
        ("connect", connects(&client).boxed()),
        ("literals", literals(&client).boxed()),
        (
            "parameters-text",
            async { Err(Absent("sends binary only").into()) }.boxed(),
        ),
        ("parameters-binary", keeps(&client, 3, Some("Edsger")).boxed()),
        ("search", search(&client).boxed()),
        ("prepared-50", prepared(&client).boxed()),
        ("batch", many(&client, 200, 20).boxed()),
        ("pipeline", many(&client, 300, 10).boxed()),
        ("null", keeps(&client, 5, None).boxed()),
        ("empty", keeps(&client, 6, Some("")).boxed()),
        ("unicode", keeps(&client, 7, Some(&unicode)).boxed()),
        ("escapes", keeps(&client, 8, Some(&escapes)).boxed()),
        ("large", keeps(&client, 10, Some(&large)).boxed()),
        ("returning", returning(&client).boxed()),
        ("update", update(&client).boxed()),
        ("rollback", rollback().boxed()),
        ("cancel", cancel(&client).boxed()),
        ("error", error(&client).boxed()),
        ("two-connections", two_connections(&client).boxed()),
        ("close", closes(&client).boxed()),
        ("wrong-ca", wrong_authority().boxed()),
    ]
    .into();
    run(
        version("tokio-postgres"),
        "with rustls; prepared statements, binary",
        checks,
    )
    .await;
    close(client, task).await
}
