#!/bin/sh
# The installed command. It finds its own folder, so a package may put it anywhere; Node comes along.
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
# Compiled code is kept between runs: daemons start in half the time and need a quarter less memory. systemd names the folder.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-${CACHE_DIRECTORY:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/acra-enclave}}
export NODE_COMPILE_CACHE
exec "$root/@NODE@" --disable-warning=ExperimentalWarning "$root/@MAIN@" "$@"
