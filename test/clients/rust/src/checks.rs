//! What a program in Rust needs beside its client: the connection that it is told of, and the lines in which it tells how
//! each check went.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::fmt;
use std::fs;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// A detail for the table, or why it failed.
pub type Outcome = Result<String, Box<dyn Error + Send + Sync>>;
pub type Checks<'a> = HashMap<&'static str, BoxFuture<'a, Outcome>>;

pub fn given(name: &str) -> String {
    env::var(format!("CLIENT_{name}")).unwrap_or_else(|_| panic!("CLIENT_{name} is not in the environment"))
}

pub fn large() -> String {
    "xyz€0123".repeat(12_500)
}

/// The client has no such thing.
#[derive(Debug)]
pub struct Absent(pub &'static str);

impl fmt::Display for Absent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for Absent {}

pub fn equal<T: PartialEq + fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("found {found:.200?}, expected {expected:.200?}"))
}

/// An error with all its causes.
pub fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn line(check: &str, ok: Option<bool>, detail: &str) -> Value {
    json!({ "check": check, "ok": ok, "detail": detail })
}

/// Of a package in this program.
pub fn version(package: &str) -> &'static str {
    let (_, rest) = include_str!("../Cargo.lock")
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .expect("it is locked");
    rest.split_once('"').expect("it is quoted").0
}

/// Goes through the checks of the file that the first argument names.
pub async fn run(version: &str, mode: &str, mut checks: Checks<'_>) {
    let runtime = format!("Rust {}", option_env!("CLIENT_RUSTC").unwrap_or("of unknown version"));
    println!("{}", json!({ "version": version, "runtime": runtime, "mode": mode }));
    let list = env::args().nth(1).expect("the file of the checks is the argument");
    let list: Vec<HashMap<String, String>> =
        serde_json::from_str(&fs::read_to_string(list).expect("it can be read")).expect("it is a list of objects");
    for check in list.iter().map(|each| each["check"].as_str()) {
        let told = match checks.remove(check) {
            None => line(check, Some(false), "the program has no such check"),
            Some(run) => match run.await {
                Ok(detail) => line(check, Some(true), &detail),
                Err(error) if error.is::<Absent>() => line(check, None, &error.to_string()),
                Err(error) => line(check, Some(false), &told(error.as_ref())),
            },
        };
        println!("{told}");
    }
}
