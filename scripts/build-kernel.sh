#!/usr/bin/env bash
# build-kernel.sh VERSION FRAGMENT OUTPUT - builds a small Linux bzImage with the NSM driver from Debian's linux-source-6.12.
#
#   VERSION   of the Debian package, for example 6.12.117-1
#   FRAGMENT  configuration over tinyconfig; every line of it must hold in the end
#   OUTPUT    a folder that must not exist; gets bzImage, config and release
#
# The bytes depend on the source, the fragment, the compiler and this script only. `acra-enclave eif build` runs it and
# keeps the result under the hash of those four; it can be run by hand as well. Needs no root.
#
# Environment: CACHE (default ~/.cache/acra-enclave: package indexes and the build tree, up to 2 GB), JOBS (nproc),
#   NICENESS (10), KEEP=1 keeps the build tree; those of debian-packages.sh. Nothing else of it reaches the build. The log of
#   a step that fails stays as CACHE/kernel-failed.log.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC

log() { printf '%s\n' "$*" >&2; }
die() {
  log "error: $*"
  exit 1
}
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
if (($# != 3)); then
  usage >&2
  exit 2
fi

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VERSION=$1
FRAGMENT=$(realpath "$2")
OUTPUT=$(realpath -m "$3")
CACHE=${CACHE:-${HOME:?}/.cache/acra-enclave}
JOBS=${JOBS:-$(nproc)}
NICENESS=${NICENESS:-10}
KEEP=${KEEP:-}
# Exit code for "this version is not on the mirror": the caller explains it.
NOT_THERE=3
SOURCE_PACKAGE=linux-source-6.12

# All that would otherwise carry time, user, machine or Debian's revision into the image.
KERNEL_ENV=(KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_VERSION=1 KBUILD_BUILD_USER=acra KBUILD_BUILD_HOST=enclave
  SOURCE_DATE_EPOCH=0 LOCALVERSION=)
# Kernel makefiles and compilers read dozens of variables; these are all that the build gets.
BUILD_ENV=(env -i "PATH=$PATH" "TMPDIR=${TMPDIR:-/tmp}" LC_ALL=C TZ=UTC)

[[ $(uname -m) == x86_64 ]] || die 'x86_64 only'
[[ ! -e $OUTPUT ]] || die "$OUTPUT exists already"
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd -P)
# shellcheck source=scripts/debian-packages.sh
source "$HERE/debian-packages.sh"

# The indexes are shared, build trees are not.
exec 9>"$CACHE/apt.lock"
flock 9
apt_setup
if ! versions_of "$SOURCE_PACKAGE" 'trixie|bookworm-backports' | grep -qxF -- "$VERSION"; then
  log "versions of $SOURCE_PACKAGE on the mirror: $(versions_of "$SOURCE_PACKAGE" 'trixie|bookworm-backports' | tr '\n' ' ')"
  exit "$NOT_THERE"
fi
TREE=$(mktemp -d "$CACHE/kernel-build.XXXXXX")
[[ -n $KEEP ]] || trap 'rm -rf "$TREE" "$OUTPUT.new"' EXIT
log "unpacking $SOURCE_PACKAGE $VERSION"
unpack "$SOURCE_PACKAGE" "$VERSION" "$TREE/package"
exec 9>&-
archive=$(find "$TREE/package/usr/src" -name "$SOURCE_PACKAGE.tar.*" -print -quit)
[[ -n $archive ]] || die "no source in $SOURCE_PACKAGE"
mkdir "$TREE/linux"
tar -C "$TREE/linux" --strip-components=1 -xf "$archive"
rm -rf "$TREE/package"
cd "$TREE/linux"

# run LOG COMMAND...: when the command fails, the end of the log is shown and the log stays
run() {
  local file=$1
  shift
  "${BUILD_ENV[@]}" nice -n "$NICENESS" "$@" >>"$file" 2>&1 9>&- || {
    tail -n 40 "$file" >&2
    cp "$file" "$CACHE/kernel-failed.log"
    die "failed: $*; the whole log is $CACHE/kernel-failed.log"
  }
}
# check_config: every line of the fragment must have survived olddefconfig, which drops what cannot hold without a word
check_config() {
  local line key bad=0
  while IFS= read -r line; do
    case $line in
    CONFIG_*=*)
      grep -qxF -- "$line" .config && continue
      key=${line%%=*}
      log "wanted $line, got $(grep -E "^(# )?${key}[= ]" .config || echo nothing)"
      bad=1
      ;;
    '# CONFIG_'*' is not set')
      key=${line#\# }
      key=${key%% *}
      grep -q "^$key=" .config || continue
      log "$key is on, wanted off"
      bad=1
      ;;
    esac
  done <"$FRAGMENT"
  ((bad == 0)) || die "$FRAGMENT asks for what this kernel does not give"
}
log 'configuring'
run "$TREE/config.log" make tinyconfig
run "$TREE/config.log" ./scripts/kconfig/merge_config.sh -m .config "$FRAGMENT"
run "$TREE/config.log" make olddefconfig
check_config
log "compiling with $JOBS jobs (about 5 minutes on 2 cores)"
run "$TREE/make.log" make -j"$JOBS" "${KERNEL_ENV[@]}" bzImage

mkdir -p "$OUTPUT.new"
cp arch/x86/boot/bzImage "$OUTPUT.new/bzImage"
cp .config "$OUTPUT.new/config"
cp include/config/kernel.release "$OUTPUT.new/release"
mv "$OUTPUT.new" "$OUTPUT"
log "built $OUTPUT/bzImage, $(stat -c %s "$OUTPUT/bzImage") bytes"
