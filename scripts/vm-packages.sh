#!/usr/bin/env bash
# vm-packages.sh [--install] - the Debian packages that building kernel, QEMU and vhost-device-vsock takes, and programs of images.
#
# Says which are missing, what would be installed, and which installed packages would move to another version because
# a new one needs it. With --install, as root, does it. Exit code 0 when all are there (in the end), 1 when not.
#
# From the system's own apt sources, without recommended packages; nothing is removed. When a Rust that is recent enough is on
# PATH, Debian's is not asked for.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/rust-tools.sh
source "$HERE/rust-tools.sh"

KERNEL=(bc binutils bison debian-archive-keyring flex gcc libc6-dev libelf-dev make xz-utils)
QEMU=(dpkg-dev gcc libcbor-dev libfdt-dev libglib2.0-dev libgnutls28-dev ninja-build patch pkg-config python3 python3-distlib
  python3-pip python3-setuptools zlib1g-dev)
VSOCK=(ca-certificates gcc patch)
IMAGES=(musl-tools)
RUST=(cargo-web rustc-web)

log() { printf '%s\n' "$*" >&2; }
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

is_installed() { [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]; }

missing_packages() {
  local package wanted=("${KERNEL[@]}" "${QEMU[@]}" "${VSOCK[@]}" "${IMAGES[@]}")
  cargo_folder >/dev/null || wanted+=("${RUST[@]}")
  printf '%s\n' "${wanted[@]}" | sort -u | while read -r package; do
    is_installed "$package" || printf '%s\n' "$package"
  done
}

# --no-upgrade: of what is named, nothing moves; what it depends on may have to.
apt_install() { apt-get "$@" install --no-install-recommends --no-upgrade --no-remove "${MISSING[@]}"; }

# Reads what apt would do: `Inst NAME [OLD] (NEW ...` for a package that moves, without [OLD] for a new one.
say_plan() { # PLAN
  local moving
  log "$(grep -c '^Inst [^ ]* (' <<<"$1" || true) packages are to be installed:"
  log "$(awk '/^Inst [^ ]* \(/ {printf " %s", $2}' <<<"$1" | fold -sw 110)"
  moving=$(awk '/^Inst [^ ]* \[/ {gsub(/[][()]/, ""); printf "  %s %s -> %s\n", $2, $3, $4}' <<<"$1")
  [[ -z $moving ]] || log "Installed packages that move because of them:"$'\n'"$moving"
}

case $# in
0) ;;
1) [[ $1 == --install ]] || {
  usage >&2
  exit 2
} ;;
*)
  usage >&2
  exit 2
  ;;
esac
command -v dpkg-query apt-get >/dev/null || {
  log 'error: no apt here: the virtual machine tests build their tools on Debian 12'
  exit 1
}
mapfile -t MISSING < <(missing_packages)
((${#MISSING[@]})) || exit 0
log "missing packages: ${MISSING[*]}"
if [[ ${1:-} == --install ]]; then
  ((EUID == 0)) || {
    log "error: run as root: $0 --install"
    exit 1
  }
  apt-get -qq update >&2
fi
if ! plan=$(apt_install -qq --simulate 2>&1); then
  log "$plan"
  log "error: apt cannot install them. Where it does not know a package, run apt-get update; where it would have to"
  log "remove rustc, cargo or rustup, put a cargo >= $RUST_MINIMUM on PATH."
  exit 1
fi
say_plan "$plan"
if [[ ${1:-} != --install ]]; then
  log "Install them as root: $0 --install"
  exit 1
fi
apt_install -qq --yes >/dev/null
mapfile -t MISSING < <(missing_packages)
((${#MISSING[@]} == 0)) || {
  log "error: still missing: ${MISSING[*]}"
  exit 1
}
log 'installed'
