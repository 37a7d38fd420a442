# shellcheck shell=bash
# rust-tools.sh - which Rust builds the virtual machine's tools. To be sourced.
#
#   cargo_folder   prints the first folder on PATH whose cargo and rustc are recent enough; fails when there is none

# Debian 12 has one: in the packages rustc-web and cargo-web, beside the 1.63 of rustc and cargo.
RUST_MINIMUM=1.85

recent_enough() { # PROGRAM
  local version
  version=$("$1" --version 2>/dev/null | awk '{print $2}') || return 1
  [[ -n $version ]] && printf '%s\n' "$RUST_MINIMUM" "$version" | sort -VC
}

cargo_folder() {
  local cargo folder
  for cargo in $(type -aP cargo); do
    folder=$(dirname "$cargo")
    if recent_enough "$cargo" && recent_enough "$folder/rustc"; then
      printf '%s\n' "$folder"
      return
    fi
  done
  return 1
}
