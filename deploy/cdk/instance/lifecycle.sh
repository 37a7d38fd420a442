#!/bin/bash
# What a parent instance tells its Auto Scaling group.
#   lifecycle.sh launched   the enclave serves: the instance may take the place of another
#   lifecycle.sh drain      waits until the group takes this instance away, ends sessions in order, then lets it go
# Reads /etc/acra-enclave/fleet.env. Asks instance metadata by IMDSv2 only.
set -euo pipefail

# shellcheck source=/dev/null
source "${FLEET_ENV:-/etc/acra-enclave/fleet.env}"
: "${REGION:?}" "${GROUP:?}" "${LAUNCH_HOOK:?}" "${TERMINATE_HOOK:?}" "${HEALTH_PORT:?}"
METADATA=${METADATA:-http://169.254.169.254/latest}
POLL_SECONDS=${POLL_SECONDS:-5}

metadata() {
  local token
  token=$(curl --silent --fail --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/api/token")
  curl --silent --fail --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$METADATA/meta-data/$1"
}

complete() {
  aws autoscaling complete-lifecycle-action --region "$REGION" --auto-scaling-group-name "$GROUP" \
    --lifecycle-hook-name "$1" --lifecycle-action-result CONTINUE --instance-id "$(metadata instance-id)"
}

# As the load balancer asks it.
serves() {
  curl --silent --fail --max-time 5 --output /dev/null "http://$(metadata local-ipv4):$HEALTH_PORT/readyz"
}

# An instance that was started anew has been let in already: then nobody waits for it.
complete_once() {
  local told
  if told=$(complete "$1" 2>&1); then return 0; fi
  printf '%s\n' "$told" >&2
  [[ $told == *'No active Lifecycle Action'* ]]
}

# Before Auto Scaling knows the instance, or while metadata does not answer, there is nothing to do.
target() {
  metadata autoscaling/target-lifecycle-state || true
}

case ${1:-} in
  launched)
    if ! serves; then
      echo 'the enclave does not serve yet' >&2
      exit 1
    fi
    case $(target) in
      InService) complete_once "$LAUNCH_HOOK" ;;
      Terminated) ;;
      *)
        echo 'Auto Scaling has not said yet what this instance is for' >&2
        exit 1
        ;;
    esac
    ;;
  drain)
    until [ "$(target)" = Terminated ]; do sleep "$POLL_SECONDS"; done
    # The load balancer sends nothing new here any more. This returns when sessions have ended, or their time has.
    systemctl stop acra-enclave.service || echo 'acra-enclave.service did not stop in order' >&2
    complete "$TERMINATE_HOOK"
    ;;
  *)
    echo 'usage: lifecycle.sh launched|drain' >&2
    exit 64
    ;;
esac
