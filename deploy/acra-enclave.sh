#!/bin/sh
# The installed command. It finds its own folder, so a package may put it anywhere; Node comes along.
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
# Compiled code is kept between runs: daemons start in half the time and need a quarter less memory. systemd names the folder.
# Without a home, or with one that is not there, nothing is kept.
home_cache=
[ ! -d "${HOME:-}" ] || home_cache=$HOME/.cache
cache=${XDG_CACHE_HOME:-$home_cache}
cache=${NODE_COMPILE_CACHE:-${CACHE_DIRECTORY:-${cache:+$cache/acra-enclave}}}
[ -z "$cache" ] || export NODE_COMPILE_CACHE="$cache"
exec "$root/@NODE@" --disable-warning=ExperimentalWarning "$root/@MAIN@" "$@"
