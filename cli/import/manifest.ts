/**
 * Enclaver's manifest, `enclaver.yaml` (v0.6.1 and main, manifest.rs), read as strictly as Enclaver reads it: unknown keys are errors.
 * What it takes without a look (ports that are none, a port twice) is refused too, because nothing could become of it here.
 */
import { z } from 'zod';

const MAX_PORT = 65_535;
/** As in host-proxy.yaml (config/enclave-run.ts). */
const MAX_CPUS = 256;
const MIN_MEMORY_MIB = 64;
const MAX_MEMORY_MIB = 4_194_304;

const port = z.int().min(1).max(MAX_PORT);
const text = z.string().min(1);

const ingressPort = z.strictObject({
  listen_port: port,
  tls: z.strictObject({ key_file: text, cert_file: text }).nullish(),
});

const ingress = z.array(ingressPort).superRefine((ports, context) => {
  for (const [index, { listen_port: listenPort }] of ports.entries()) {
    const first = ports.findIndex((other) => other.listen_port === listenPort);
    if (first === index) continue;
    context.addIssue({
      code: 'custom',
      path: [index, 'listen_port'],
      message: `is that of entry ${first} too: only one of them can listen`,
    });
  }
});

export const manifestSchema = z.strictObject({
  version: z.string(),
  name: text,
  target: text,
  sources: z.strictObject({ app: text, odyn: text.nullish(), sleeve: text.nullish() }),
  signature: z.strictObject({ certificate: text, key: text }).nullish(),
  ingress: ingress.nullish(),
  egress: z
    .strictObject({ proxy_port: port.nullish(), allow: z.array(text).nullish(), deny: z.array(text).nullish() })
    .nullish(),
  defaults: z
    .strictObject({
      cpu_count: z.int().min(1).max(MAX_CPUS).nullish(),
      memory_mb: z.int().min(MIN_MEMORY_MIB).max(MAX_MEMORY_MIB).nullish(),
    })
    .nullish(),
  kms_proxy: z.strictObject({ listen_port: port, endpoints: z.record(text, text).nullish() }).nullish(),
  api: z.strictObject({ listen_port: port }).nullish(),
  spire: z
    .strictObject({
      server_addr: text,
      ca_cert: text,
      trust_domain: text,
      svid_dir: text,
      workload_api_addr: text.nullish(),
    })
    .nullish(),
});
export type Manifest = z.output<typeof manifestSchema>;
