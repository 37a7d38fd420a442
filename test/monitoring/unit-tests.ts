/**
 * The unit tests of the rules as promtool takes them (prometheus.io, "Unit testing for rules"): `make monitoring-files` writes them beside the rules,
 * so that whoever changes the rules can run them without this project.
 */
import { stringify } from 'yaml';
import { RULES } from '../../cli/monitoring/rules.ts';
import { TRIED, type Tried } from './series.ts';

const SICK = { job: 'acra-enclave', instance: 'sick:9464' };
const WELL = { job: 'acra-enclave', instance: 'well:9464' };
type Labels = Readonly<Record<string, string>>;

function withTarget(series: string, target: Labels): string {
  const [, name = '', own = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const labels = [own, ...Object.entries(target).map(([label, value]) => `${label}="${value}"`)].filter(
    (part) => part !== '',
  );
  return `${name}{${labels.join(',')}}`;
}

const filled = (text: string, labels: Labels) =>
  text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_whole, label: string) => labels[label] ?? '');

/** What Prometheus tells of it once it fires. */
function expected(alert: string, labels: Labels): object {
  const rule = RULES.find((each) => each.alert === alert);
  if (rule === undefined) throw new TypeError(`there is no alert ${alert}`);
  const annotations = Object.entries(rule.annotations).map(([name, text]) => [name, filled(text, labels)] as const);
  return { exp_labels: { ...labels, ...rule.labels }, exp_annotations: Object.fromEntries(annotations) };
}

function testOf({ alert, series, fires, stays, beside = {}, atMin, notYetMin, labels = {} }: Tried): object {
  const both = Object.entries(beside).flatMap(([name, values]) =>
    [SICK, WELL].map((target) => ({ series: withTarget(name, target), values })),
  );
  const never = notYetMin === undefined ? [] : [{ eval_time: `${notYetMin}m`, alertname: alert, exp_alerts: [] }];
  return {
    name: alert,
    interval: '1m',
    input_series: [
      { series: withTarget(series, SICK), values: fires },
      { series: withTarget(series, WELL), values: stays },
      ...both,
    ],
    alert_rule_test: [
      ...never,
      { eval_time: `${atMin}m`, alertname: alert, exp_alerts: [expected(alert, { ...SICK, ...labels })] },
    ],
  };
}

/** It is about series that are not there, so it has none. */
const ABSENT: readonly object[] = [
  {
    name: 'AcraEnclaveAbsent',
    interval: '1m',
    input_series: [{ series: 'up{job="another",instance="other:9100"}', values: '1x20' }],
    alert_rule_test: [
      { eval_time: '4m', alertname: 'AcraEnclaveAbsent', exp_alerts: [] },
      {
        eval_time: '6m',
        alertname: 'AcraEnclaveAbsent',
        exp_alerts: [expected('AcraEnclaveAbsent', { job: 'acra-enclave' })],
      },
    ],
  },
  {
    name: 'AcraEnclaveAbsent, where one is there',
    interval: '1m',
    input_series: [{ series: withTarget('up', SICK), values: '0x20' }],
    alert_rule_test: [{ eval_time: '6m', alertname: 'AcraEnclaveAbsent', exp_alerts: [] }],
  },
];

const HEADER = `# Unit tests of acra-enclave.rules.yaml: \`promtool test rules\` in this folder. Written by \`make monitoring-files\` from test/monitoring/series.ts.
`;

export function unitTestsFile(): string {
  const document = {
    rule_files: ['acra-enclave.rules.yaml'],
    evaluation_interval: '30s',
    tests: [...ABSENT, ...TRIED.map(testOf)],
  };
  return `${HEADER}${stringify(document, { lineWidth: 0 })}`;
}
