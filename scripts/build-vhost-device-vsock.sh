#!/usr/bin/env bash
# build-vhost-device-vsock.sh OUTPUT - builds vhost-device-vsock, which stands behind the AF_VSOCK device of a QEMU machine.
# build-vhost-device-vsock.sh --compiler - prints which rustc would build it.
#
#   OUTPUT    a folder that must not exist; gets bin/vhost-device-vsock
#
# From the crate of the Rust registry, its locked dependencies, and patches/vhost-device-vsock-nitro.patch: an enclave dials its
# parent at CID 3, and applications come and go as they like. A panic ends the program, which ends the machine with a
# reason, instead of one of its threads, which would leave the machine deaf. Needs no root, but a cargo and rustc; those on
# PATH are taken when recent enough, else Debian's rustc-web and cargo-web (see scripts/vm-packages.sh).
#
# Environment: CACHE (default ~/.cache/acra-enclave: the build tree, 300 MB), JOBS (nproc), NICENESS (10), KEEP=1 keeps the
#   build tree; cargo's own, with its archives in CARGO_HOME (default ~/.cargo).
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/build-steps.sh
source "$HERE/build-steps.sh"
# shellcheck source=scripts/rust-tools.sh
source "$HERE/rust-tools.sh"
if (($# != 1)); then
  usage >&2
  exit 2
fi

CRATE=vhost-device-vsock
VERSION=0.3.0
SHA256=52ce95d81af89ad693d067c650e42df0f217addfbc96cc4820f7c62eb4a28b13
PATCH=$HERE/patches/vhost-device-vsock-nitro.patch

folder=$(cargo_folder) || die "no cargo and rustc >= $RUST_MINIMUM (Debian 12: packages rustc-web and cargo-web)"
export PATH=$folder:$PATH
if [[ $1 == --compiler ]]; then
  rustc --version
  exit
fi

start_build vhost-device-vsock "$1"
cd "$TREE"
log "fetching $CRATE $VERSION"
# The ordinary client's way to get one crate's archive and nothing else.
run "$TREE/fetch.log" cargo info --quiet "$CRATE@$VERSION"
archive=$(find "${CARGO_HOME:-${HOME:?}/.cargo}/registry/cache" -name "$CRATE-$VERSION.crate" -print -quit)
[[ -n $archive ]] || die "cargo kept no archive of $CRATE $VERSION"
found=$(sha256sum <"$archive")
[[ ${found%% *} == "$SHA256" ]] || die "$archive has SHA-256 ${found%% *}, not $SHA256"
tar -xzf "$archive"
cd "$CRATE-$VERSION"
run "$TREE/patch.log" patch --strip=1 --fuzz=0 --input="$PATCH"
log "compiling with $JOBS jobs and $(rustc --version) (about 40 seconds on 2 cores)"
export CARGO_TARGET_DIR=$TREE/target CARGO_PROFILE_RELEASE_PANIC=abort
run "$TREE/cargo.log" cargo build --release --locked --jobs "$JOBS"

mkdir "$OUTPUT.new/bin"
strip -o "$OUTPUT.new/bin/$CRATE" "$TREE/target/release/$CRATE"
"$OUTPUT.new/bin/$CRATE" --version >/dev/null || die "$CRATE does not start here"
mv "$OUTPUT.new" "$OUTPUT"
log "built $CRATE $VERSION"
