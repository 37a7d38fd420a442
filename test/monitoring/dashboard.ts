/** What of Grafana's dashboard the tests look at. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const dashboard = z.object({
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
  panels: z.array(
    z.object({
      id: z.int(),
      type: z.string(),
      title: z.string(),
      description: z.string().optional(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
    }),
  ),
});

export function readDashboard(): z.infer<typeof dashboard> {
  const file = new URL('../../deploy/monitoring/acra-enclave.dashboard.json', import.meta.url);
  return dashboard.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Of all panels and annotations, with Grafana's variables in them. */
export function dashboardExpressions(): readonly string[] {
  const { panels, annotations } = readDashboard();
  return [
    ...panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr)),
    ...annotations.list.map(({ expr }) => expr),
  ];
}
