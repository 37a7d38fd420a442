/** `egress`: the proxy for HTTP and CONNECT, with the same list in both files; the parent can only allow less. */
import { egressRuleFault } from '../../wire/egress/rule.ts';
import type { Change, FileKey, Part } from './change.ts';
import { place } from './change.ts';
import { type EgressPattern, readPattern } from './egress-pattern.ts';
import type { Manifest } from './manifest.ts';

/** Enclaver's, constants.rs. */
export const DEFAULT_PROXY_PORT = 10_000;
const [HTTPS, HTTP] = [443, 80];
const ALL_PORTS = '1-65535';

type ListName = 'allow' | 'deny';
type Entry = Pick<Change, 'outcome' | 'why'> & { readonly rules: readonly string[] };

/** What Enclaver takes and no rule can say stays as it is, for `config check` to refuse. */
function unlessFaulty(entry: Entry): Entry {
  const [rule = ''] = entry.rules;
  const [fault] = egressRuleFault(rule)?.split('; allowed: ') ?? [];
  if (entry.rules.length === 0 || fault === undefined) return entry;
  return { rules: [rule], outcome: 'decide', why: `No rule can say this: ${fault}.` };
}

const PARENT_WHY =
  'Enclaver’s name for the parent’s loopback interface is not known here. Name each service: egress.routes.NAME.to: NAME.internal:PORT in enclave.yaml, and egress.routes.NAME.connect: tcp://127.0.0.1:PORT in host-proxy.yaml; programs reach it as NAME.internal:PORT, without a proxy.';
const PORTS_WHY = `Enclaver allows all ports of it. Here the list says which: those of https and http, unless you add others (:${ALL_PORTS} are all).`;
const LITERAL_WHY = 'It is for targets that are written as addresses; names are judged by name.';
const ALLOWED_WHY: Readonly<Record<'name' | 'wildcard' | 'address' | 'network' | 'imds' | 'kms', string>> = {
  name: PORTS_WHY,
  wildcard: `${PORTS_WHY} * is one label, ** in front one or more, as in Enclaver.`,
  address: `${PORTS_WHY} ${LITERAL_WHY}`,
  network: `${PORTS_WHY} ${LITERAL_WHY}`,
  imds: 'Port 80 only. What programs fetch there, whoever runs the parent has too.',
  kms: 'Port 443 only. Requests that go past a KMS proxy are not attested.',
};
const DENIED_WHY =
  'As in Enclaver, and for other spellings of the same target. A denied address or network is denied to names that lead there, too.';
/** What has a route of its own where there is a KMS proxy. */
const OWN_ROUTE_WHY = {
  imds: 'The supervisor fetches credentials by a route of its own (imds); programs need no way there.',
  kms: 'The KMS proxy has a route of its own (kms). Put it back if programs ask KMS past the proxy, without attestation.',
} as const;

function allowed(pattern: EgressPattern, hasKmsProxy: boolean): Entry {
  if (pattern.kind === 'parent') return { rules: [], outcome: 'decide', why: PARENT_WHY };
  if (pattern.kind === 'unclear') return { rules: [`${pattern.text}:${HTTPS}`], outcome: 'decide', why: pattern.why };
  const { kind, text } = pattern;
  if (hasKmsProxy && (kind === 'imds' || kind === 'kms'))
    return { rules: [], outcome: 'dropped', why: OWN_ROUTE_WHY[kind] };
  const ports = { imds: [HTTP], kms: [HTTPS] }[kind as string] ?? [HTTPS, HTTP];
  return { rules: ports.map((port) => `${text}:${port}`), outcome: 'changed', why: ALLOWED_WHY[kind] };
}

function denied(pattern: EgressPattern): Entry {
  if (pattern.kind === 'parent')
    return { rules: [], outcome: 'dropped', why: 'Nothing leads to the parent’s loopback interface but a route.' };
  const rules = [`${pattern.text}:${ALL_PORTS}`];
  if (pattern.kind === 'unclear') return { rules, outcome: 'decide', why: pattern.why };
  return { rules, outcome: 'kept', why: DENIED_WHY };
}

const BOTH: readonly FileKey[] = ['enclave', 'host'];

function convertList(manifest: Manifest, list: ListName) {
  const rules: string[] = [];
  const changes = (manifest.egress?.[list] ?? []).map((text, index): Change => {
    const pattern = readPattern(text);
    const entry = list === 'allow' ? allowed(pattern, Boolean(manifest.kms_proxy)) : denied(pattern);
    const { rules: own, outcome, why } = entry.outcome === 'decide' ? entry : unlessFaulty(entry);
    for (const rule of own) if (!rules.includes(rule)) rules.push(rule);
    const field = { field: `egress.${list}.${index}`, found: text };
    const [first] = own;
    if (first === undefined) return { ...field, outcome, places: [], why };
    const path = `egress.http.${list}.${rules.indexOf(first)}`;
    return { ...field, outcome, becomes: own.join(', '), places: BOTH.map((file) => place(file, path)), why };
  });
  return { rules, changes };
}

const PROXY_WHY = 'http_proxy, https_proxy and no_proxy are set for programs, in capitals too, as in Enclaver.';
const NO_PROXY_WHY = 'Nothing is left for a proxy to allow: none runs, and no proxy variable is set.';

export function egressPart(manifest: Manifest): Part {
  const { egress } = manifest;
  if (!egress) return { files: {}, changes: [] };
  const [allow, deny] = [convertList(manifest, 'allow'), convertList(manifest, 'deny')];
  const lists = [...allow.changes, ...deny.changes];
  const field = { field: 'egress.proxy_port', found: egress.proxy_port ?? undefined };
  if (allow.rules.length === 0) {
    const proxy: Change = { ...field, outcome: 'dropped', places: [], why: NO_PROXY_WHY };
    return { files: {}, changes: [proxy, ...lists.map((change) => ({ ...change, places: [] }))] };
  }
  const both = { allow: allow.rules, ...(deny.rules.length === 0 ? {} : { deny: deny.rules }) };
  const listen = `tcp://127.0.0.1:${egress.proxy_port ?? DEFAULT_PROXY_PORT}`;
  const places = [place('enclave', 'egress.http.listen')];
  return {
    files: { enclave: { egress: { http: { listen, ...both } } }, host: { egress: { http: both } } },
    changes: [{ ...field, outcome: 'kept', places, why: PROXY_WHY }, ...lists],
  };
}
