/** The files of deploy/monitoring/ against the code that they watch; promtool and a Prometheus have tests of their own (`make test-monitoring`). */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { CATALOGUES } from '../../cli/error-advice.ts';
import { RULES, rulesFile } from '../../cli/monitoring/rules.ts';
import { METRIC_PREFIX, PUBLISHED_METRICS } from '../../host-proxy/operator/admin/metrics.ts';
import { AWAITING_CODES, FAILED_CODES, OUTAGE_CODES, REFUSED_CODES } from '../../host-proxy/operator/alarms/codes.ts';
import { WATCHES } from '../../host-proxy/operator/alarms/watches.ts';
import { dashboardExpressions, readDashboard } from './dashboard.ts';
import { TRIED } from './series.ts';
import { unitTestsFile } from './unit-tests.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { panels, templating } = readDashboard();
const expressions = [...RULES.map(({ expr }) => expr), ...dashboardExpressions()];
const PAGING_CODES = [REFUSED_CODES, AWAITING_CODES, OUTAGE_CODES, FAILED_CODES].flat();

t.test('keeps the files as the code writes them (make monitoring-files)', async (t) => {
  t.equal(read('deploy/monitoring/acra-enclave.rules.yaml'), rulesFile());
  t.equal(read('deploy/monitoring/acra-enclave.rules.test.yaml'), unitTestsFile());
});

t.test('names only metrics that are published, with labels that they have', async (t) => {
  const target = ['job', 'instance'];
  for (const expression of expressions)
    for (const [, name = '', matchers = ''] of expression.matchAll(/\b(acra_enclave_\w+)(?:\{([^}]*)\})?/g)) {
      const declared = PUBLISHED_METRICS[name.slice(METRIC_PREFIX.length)];
      t.ok(declared, name);
      const labels = [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label ?? '');
      t.same(
        labels.filter((label) => ![...target, ...(declared?.labels ?? [])].includes(label)),
        [],
        `${name} in ${expression}`,
      );
      if (/\b(?:rate|increase)\($/.test(expression.slice(0, expression.indexOf(name))))
        t.equal(declared?.kind, 'counter', name);
    }
});

t.test('names of what it watches only metrics that are published', async (t) => {
  for (const { alert, condition } of WATCHES) {
    t.ok(PUBLISHED_METRICS[condition.metric], alert);
    t.equal(
      condition.kind === 'grew',
      PUBLISHED_METRICS[condition.metric]?.kind === 'counter',
      `${alert}: counters grow`,
    );
    if (condition.kind === 'exceeds') t.ok(PUBLISHED_METRICS[condition.other.metric], alert);
  }
});

t.test('pages for error codes that exist, each in one way', async (t) => {
  const known = new Set(Object.values(CATALOGUES).flatMap((catalogue) => Object.keys(catalogue)));
  t.same(
    PAGING_CODES.filter((code) => !known.has(code)),
    [],
  );
  t.equal(new Set(PAGING_CODES).size, PAGING_CODES.length);
});

t.test('tells of every alert how urgent it is, what it is, and which runbook', async (t) => {
  t.equal(new Set(RULES.map(({ alert }) => alert)).size, RULES.length);
  for (const { alert, labels, annotations } of RULES) {
    t.match(alert, /^AcraEnclave([A-Z][a-z]+)+$/);
    t.match(labels.severity, /^(page|ticket)$/, alert);
    t.match(annotations.runbook_url, /^docs\/runbooks\/([a-z-]+|[A-Z_]+|\{\{ \$labels\.code \}\})\.md$/, alert);
    t.ok(annotations.summary.length > 20 && annotations.description.length > 10, alert);
  }
});

t.test('tries every alert, firing and not', async (t) => {
  const tried = new Set([...TRIED.map(({ alert }) => alert), 'AcraEnclaveAbsent']);
  t.same([...tried].sort(), RULES.map(({ alert }) => alert).sort());
});

const RUNBOOKS = new URL('../../docs/runbooks/', import.meta.url);
t.test('has a runbook for everything that pages', async (t) => {
  const names = RULES.map(({ annotations }) => annotations.runbook_url.split('/').at(-1) ?? '').filter(
    (name) => !name.includes('$'),
  );
  for (const name of [...names, ...PAGING_CODES.map((code) => `${code}.md`)])
    t.ok(existsSync(new URL(name, RUNBOOKS)), name);
});

t.test('shows a dashboard that belongs to no one Grafana, with a unit and a sentence for every panel', async (t) => {
  t.ok(panels.length > 30);
  t.same(
    templating.list.map(({ name }) => name),
    ['datasource', 'job', 'instance'],
  );
  const text = read('deploy/monitoring/acra-enclave.dashboard.json');
  t.same(
    [...text.matchAll(/"uid": "([^"]*)"/g)].filter(([, uid = '']) => !/^\$\{datasource\}$/.test(uid)),
    [],
  );
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { type, title, description, fieldConfig, targets } of panels) {
    if (type === 'row') continue;
    t.match(description, /^[A-Z].*\.$/, title);
    t.ok(fieldConfig?.defaults.unit, title);
    for (const { legendFormat } of targets ?? []) t.ok(legendFormat, title);
  }
});

t.test('lays no panel of the dashboard over another', async (t) => {
  const places = panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_each, index) => ({
      title,
      cell: `${x + (index % w)},${y + Math.floor(index / w)}`,
    })),
  );
  const taken = Map.groupBy(places, ({ cell }) => cell);
  t.same(
    [...taken.values()].filter((of) => of.length > 1).map((of) => of.map(({ title }) => title)),
    [],
  );
});
