# shellcheck shell=bash
# debian-packages.sh - packages of other Debian suites without touching the system's apt. To be sourced; needs $CACHE, log and die.
#
#   apt_setup                          a private apt configuration under $CACHE/apt, its indexes at most 12 hours old
#   versions_of PACKAGE SUITE-REGEX    the versions on the mirror, oldest first
#   require_version PACKAGE SUITE-REGEX VERSION    or exits with 3, after saying which versions are there
#   unpack PACKAGE VERSION FOLDER      downloads a binary package and unpacks it; no maintainer script runs
#
# Environment: DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR (default: the mirrors that the system's own apt uses).

APT_FOLDER=$CACHE/apt
# -c, not APT_CONFIG: it is read after /etc/apt/apt.conf.d, whose proxies stay and whose hooks must go.
apt_get() { apt-get -c "$APT_FOLDER/apt.conf" -qq "$@"; }
apt_cache() { apt-cache -c "$APT_FOLDER/apt.conf" "$@"; }

# mirror LABEL: the first repository of that label that the system's own apt knows
mirror() {
  # shellcheck disable=SC2016 # apt expands these
  apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' | awk -v l="$1" '$1 == l {print $2; exit}'
}

apt_sources() { # KEYRING BASE SECURITY
  cat <<EOF
Types: deb deb-src
URIs: $2
Suites: trixie
Components: main
Signed-By: $1

Types: deb deb-src
URIs: $3
Suites: trixie-security
Components: main
Signed-By: $1

Types: deb
URIs: $2
Suites: bookworm-backports
Components: main
Signed-By: $1
EOF
}

apt_configuration() {
  cat <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$APT_FOLDER/sources.d";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$APT_FOLDER/preferences.d";
Dir::State::Lists "$APT_FOLDER/lists";
Dir::State::Status "$APT_FOLDER/status";
Dir::Cache "$APT_FOLDER";
Dir::Cache::Archives "$APT_FOLDER/archives";
APT::Sandbox::User "root";
APT::Architecture "amd64";
APT::Architectures "amd64";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
EOF
}

apt_setup() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg base security
  local sources=$APT_FOLDER/sources.d/debian.sources
  base=${DEBIAN_MIRROR:-$(mirror Debian)}
  security=${DEBIAN_SECURITY_MIRROR:-$(mirror Debian-Security)}
  [[ -n $base && -n $security ]] ||
    die 'no Debian mirror among the apt sources: run apt-get update, or set DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR'
  [[ -r $keyring ]] || die "no $keyring (install debian-archive-keyring)"
  mkdir -p "$APT_FOLDER"/{lists/partial,archives/partial,sources.d,preferences.d}
  : >"$APT_FOLDER/status"
  if [[ $(cat "$sources" 2>/dev/null) != "$(apt_sources "$keyring" "$base" "$security")" ]]; then
    rm -f "$APT_FOLDER/updated"
    apt_sources "$keyring" "$base" "$security" >"$sources"
  fi
  apt_configuration >"$APT_FOLDER/apt.conf"
  if [[ -z $(find "$APT_FOLDER/updated" -mmin -720 2>/dev/null) ]]; then
    log 'fetching the package indexes of trixie and bookworm-backports'
    apt_get -o APT::Update::Error-Mode=any update >&2
    touch "$APT_FOLDER/updated"
  fi
}

versions_of() {
  apt_cache madison "$1" | awk -F' *[|] *' -v s="$2" '$3 ~ s {gsub(/ /, "", $2); print $2}' | sort -uV
}

require_version() {
  local versions
  versions=$(versions_of "$1" "$2")
  grep -qxF -- "$3" <<<"$versions" && return
  log "$1 $3 is not on the mirror; there is: ${versions//$'\n'/ }"
  exit 3
}

unpack() {
  local package=$1 version=$2 folder=$3 download
  download=$(mktemp -d "$CACHE/tmp.XXXXXX")
  (cd "$download" && apt_get download "$package=$version" >&2)
  rm -rf "$folder"
  mkdir -p "$folder"
  dpkg-deb -x "$download"/*.deb "$folder"
  rm -rf "$download"
}
