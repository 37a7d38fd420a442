/** What an instance does at its first start: writes what names things of this deployment, and starts the services. No secret is in it. */
import { stringify } from 'yaml';
import { AGENT_CONFIG, LAUNCH_HOOK, OWN_ADDRESS, TERMINATE_HOOK } from './instance-files.ts';
import { HEALTH_PORT } from './ports.ts';

export interface UserDataFacts {
  readonly region: string;
  readonly fleet: string;
  readonly hostProxy: object;
}

/** What nobody needs on a parent: nobody logs in there, and its role lets nobody in by Systems Manager. */
const UNWANTED = ['sshd.service', 'sshd.socket', 'amazon-ssm-agent.service'];

/** The end of a here-document, which no line of ours is. */
const END = 'END-OF-FILE';

export function userDataText({ region, fleet, hostProxy }: UserDataFacts): string {
  return `#!/bin/bash
set -euo pipefail
systemctl disable --now ${UNWANTED.join(' ')} 2>/dev/null || true

cat >/etc/acra-enclave/fleet.env <<'${END}'
REGION=${region}
GROUP=${fleet}
LAUNCH_HOOK=${LAUNCH_HOOK}
TERMINATE_HOOK=${TERMINATE_HOOK}
HEALTH_PORT=${HEALTH_PORT}
${END}
chmod 0644 /etc/acra-enclave/fleet.env

cat >/etc/acra-enclave/host-proxy.yaml <<'${END}'
${stringify(hostProxy, { lineWidth: 0 })}${END}
chmod 0644 /etc/acra-enclave/host-proxy.yaml
token=$(curl --silent --fail --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
own=$(curl --silent --fail --retry 5 -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/local-ipv4)
sed -i "s/${OWN_ADDRESS}/$own/" /etc/acra-enclave/host-proxy.yaml

/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:${AGENT_CONFIG}
systemctl enable --now nitro-enclaves-allocator.service acra-enclave-drain.service
systemctl enable --now --no-block acra-enclave.service acra-enclave-launched.service
`;
}
