/** The file of alerting rules that Prometheus loads: what the daemon watches itself, and what only somebody outside of it can see. */
import { stringify } from 'yaml';
import type { Watch } from '../../host-proxy/operator/alarms/watch.ts';
import { WATCHES } from '../../host-proxy/operator/alarms/watches.ts';
import { promDuration, promql } from './promql.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: Watch['severity'] };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

const runbookUrl = (name: string) => `docs/runbooks/${name}.md`;

function ruleOf({ alert, severity, runbook, summary, description, condition, forMs }: Watch): Rule {
  const page = typeof runbook === 'string' ? runbook : `{{ $labels.${runbook.label} }}`;
  const code = typeof runbook === 'string' ? '' : ` ({{ $labels.${runbook.label} }})`;
  return {
    alert,
    expr: promql(condition),
    ...(forMs > 0 && { for: promDuration(forMs) }),
    labels: { severity },
    annotations: {
      summary: `{{ $labels.instance }}: ${summary}${code}`,
      description,
      runbook_url: runbookUrl(page),
    },
  };
}

const REFUSALS = 'acra_enclave_guard_refusals_total{outcome="refused"}';

/** A daemon that is gone tells nobody, and one keeps no history of a day. */
const FROM_OUTSIDE: readonly Rule[] = [
  {
    alert: 'AcraEnclaveDown',
    expr: 'up{job="acra-enclave"} == 0',
    for: '2m',
    labels: { severity: 'page' },
    annotations: {
      summary: '{{ $labels.instance }}: host-proxy does not answer',
      description:
        'Prometheus gets no metrics of the admin port: the daemon or its instance is gone, or the network between.',
      runbook_url: runbookUrl('down'),
    },
  },
  {
    alert: 'AcraEnclaveAbsent',
    expr: 'absent(up{job="acra-enclave"})',
    for: '5m',
    labels: { severity: 'page' },
    annotations: {
      summary: 'Prometheus has no target with the job acra-enclave',
      description: 'Nobody watches: the configuration of Prometheus, or its discovery of targets, has lost the fleet.',
      runbook_url: runbookUrl('absent'),
    },
  },
  {
    alert: 'AcraEnclaveRefusalsJump',
    expr: [
      `sum by (job, instance) (rate(${REFUSALS}[10m]))`,
      `> 10 * sum by (job, instance) (rate(${REFUSALS}[1h] offset 10m)) + 0.1`,
    ].join(' '),
    for: '5m',
    labels: { severity: 'page' },
    annotations: {
      summary: '{{ $labels.instance }}: the guard refuses more than ten times as much as in the hour before',
      description:
        'A new release of an application sends what cannot be protected and fails, or somebody tries what passes.',
      runbook_url: runbookUrl('refusals-jump'),
    },
  },
];

export const RULES: readonly Rule[] = [...FROM_OUTSIDE, ...WATCHES.map(ruleOf)];

const HEADER = `# Alerting rules of acra-enclave for Prometheus (docs/monitoring.md). Written by \`make monitoring-files\` from what the status page watches
# (host-proxy/operator/alarms/), so that both page for the same; change it there. The job must be called acra-enclave.
`;

export function rulesFile(): string {
  const groups = [{ name: 'acra-enclave', interval: '30s', rules: RULES }];
  return `${HEADER}${stringify({ groups }, { lineWidth: 0 })}`;
}
