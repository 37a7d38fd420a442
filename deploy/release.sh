#!/bin/sh
# `make release`: of the commit, and of the packages that its package-lock.json names by their digests. Both are put into a folder of their
# own, which goes afterwards: what lies in the checkout's node_modules is neither shipped nor run, nor is it near the key. The folder is
# below the home, since Node looks for packages in the folders above too, and anybody may write into /tmp.
set -eu
unset MAKEFLAGS NODE_OPTIONS NODE_PATH NODE_COMPILE_CACHE

# CODE MESSAGE ADVICE, as deploy/tell-error.ts tells errors (docs/errors.md)
refuse() {
  printf 'error %s: %s\nwhat to do: %s\n' "$1" "$2" "$3" >&2
  exit 1
}

changed=$(git status --porcelain --untracked-files=all) ||
  refuse RELEASE_COMMIT 'git does not say which commit this is' 'Work in a clone with git.'
[ -z "$changed" ] || refuse RELEASE_COMMIT "the checkout differs from its commit; found:
$(printf '%s\n' "$changed" | head -n 10)" 'Commit or remove that: a release is made of the commit alone.'

cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/acra-enclave
mkdir -p "$cache"
work=$(mktemp -d "$cache/release.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo 'the commit, and the packages that its package-lock.json names: half a minute …'
git clone --quiet --config core.autocrlf=false . "$work/source" </dev/null
(cd "$work/source" && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null) ||
  refuse RELEASE_PACKAGES 'npm has not installed what package-lock.json names' \
    'Read what npm says. Where a digest differs (EINTEGRITY), find out who changed the package or the lock file before anything else.'
"$work"/source/node_modules/node-linux-*/bin/node --disable-warning=ExperimentalWarning "$work/source/deploy/release.ts" make "$@"
