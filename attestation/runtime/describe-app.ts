/** The runtime statement of a measured folder with `workload: app`. */
import { createHash } from 'node:crypto';
import type { AppEnclaveConfig } from '../../config/app/app-enclave.ts';
import { type CanonicalValue, canonicalJson } from '../../encoding/canonical-json.ts';
import type { AppRuntimeStatement } from './app-statement.ts';

const digestOf = (value: CanonicalValue) => createHash('sha256').update(canonicalJson(value)).digest('hex');

function mapped<Value, Result>(record: Readonly<Record<string, Value>>, map: (value: Value) => Result) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}

/** @param configuration SHA-256 of the measured folder @param release of acra-enclave */
export function describeApp(config: AppEnclaveConfig, configuration: string, release: string): AppRuntimeStatement {
  const { name, programs, ingress, egress, kmsProxy, tls } = config;
  const { http, routes } = egress;
  return {
    version: 1,
    workload: 'app',
    release,
    name,
    configuration,
    programs: mapped(programs, ({ command }) => digestOf(command)),
    ingress: mapped(ingress, (port) => port.tls),
    tlsKey: tls.key,
    egress: {
      routes: mapped(routes, ({ to }) => to),
      http: http === undefined ? null : digestOf({ allow: http.allow, deny: http.deny }),
    },
    kmsProxy:
      kmsProxy === undefined
        ? null
        : {
            allow: kmsProxy.allow.map(({ key, actions }) => ({ key, actions: [...actions] })),
            random: kmsProxy.random,
          },
  };
}
