/** `kms_proxy`: the same service, but keys and actions are named; regions too, each with a way out of its own. */
import { REGION } from '../../config/aws-names.ts';
import { KMS_ROUTES } from '../../config/key-keeper.ts';
import type { Change, Part } from './change.ts';
import { place } from './change.ts';
import { readPattern } from './egress-pattern.ts';
import type { Manifest } from './manifest.ts';
import { PLACEHOLDERS } from './placeholders.ts';

const HTTPS_PORT = 443;

interface Region {
  readonly region: string;
  readonly authority: string | undefined;
  /** Where the manifest names it. */
  readonly field: string | undefined;
}

/** Those of `endpoints`, then those whose KMS the egress list names. */
function regionsOf({ kms_proxy: kmsProxy, egress }: Manifest): readonly Region[] {
  const named = Object.entries(kmsProxy?.endpoints ?? {}).map(([region, authority]) => ({
    region,
    authority,
    field: `kms_proxy.endpoints.${region}`,
  }));
  const allowed = (egress?.allow ?? []).flatMap((text) => {
    const pattern = readPattern(text);
    return pattern.kind === 'kms' && pattern.region !== undefined ? [pattern.region] : [];
  });
  const others = [...new Set(allowed)].filter((region) => !named.some((each) => each.region === region));
  return [...named, ...others.map((region) => ({ region, authority: undefined, field: undefined }))];
}

const connectOf = ({ region, authority = `kms.${region}.amazonaws.com` }: Region) =>
  `tcp://${/:\d+$/.test(authority) ? authority : `${authority}:${HTTPS_PORT}`}`;

function regionSection({ region, authority }: Region, index: number): object {
  const route = index === 0 ? {} : { route: KMS_ROUTES[index] };
  return { region, ...route, ...(authority === undefined ? {} : { endpoint: `https://${authority}` }) };
}

const KEYS_WANTED: Change = {
  field: '(keys)',
  found: undefined,
  outcome: 'decide',
  places: [place('enclave', 'kmsProxy.allow.0')],
  why: 'Enclaver signs any request for any key with the role of the instance. Write the full ARN of each key, and what programs do with it: acra-enclave config schema enclave --workload app lists the actions. GenerateRandom, which names no key, needs kmsProxy.random: true.',
};

function regionChanges(regions: readonly Region[]): readonly Change[] {
  if (regions.length === 0) {
    const places = [place('enclave', 'kmsProxy.regions.0'), place('host', 'kms.connect')];
    const why =
      'Enclaver takes the region from each request, and panics over odd ones. Write the regions of the keys, the first of them is AWS_REGION of all programs.';
    return [{ field: '(region)', found: undefined, outcome: 'decide', places, why }];
  }
  return regions.map(({ region, authority, field = '(region)' }, index): Change => {
    const route = KMS_ROUTES[index];
    const found = authority ?? region;
    if (route === undefined) {
      const why = `There are ${KMS_ROUTES.length} ways out to KMS. Take one that is not needed away from the manifest.`;
      return { field, found, outcome: 'decide', places: [], why };
    }
    const own = place('enclave', `kmsProxy.regions.${index}`);
    if (!REGION.test(region))
      return { field, found, outcome: 'decide', places: [own], why: `${region} is no region such as eu-central-1.` };
    const places = [own, place('host', `${route}.connect`)];
    return { field, found, outcome: 'kept', places, why: 'TLS to it ends in the enclave, which verifies it.' };
  });
}

export function kmsProxyPart(manifest: Manifest): Part {
  const { kms_proxy: kmsProxy } = manifest;
  if (!kmsProxy) return { files: {}, changes: [] };
  const found = regionsOf(manifest);
  const regions =
    found.length === 0 ? [{ region: PLACEHOLDERS.region, authority: undefined, field: undefined }] : found;
  const used = regions.slice(0, KMS_ROUTES.length);
  const section = {
    listen: `tcp://127.0.0.1:${kmsProxy.listen_port}`,
    regions: used.map(regionSection),
    allow: [{ key: PLACEHOLDERS.keyArn, actions: ['Decrypt'] }],
  };
  const listen: Change = {
    field: 'kms_proxy.listen_port',
    found: kmsProxy.listen_port,
    outcome: 'kept',
    places: [place('enclave', 'kmsProxy.listen')],
    why: 'AWS_KMS_ENDPOINT names it, as in Enclaver, and AWS_ENDPOINT_URL_KMS, which SDKs know. Errors come as answers of HTTP.',
  };
  return {
    files: {
      enclave: { kmsProxy: section },
      host: Object.fromEntries(used.map((region, index) => [KMS_ROUTES[index], { connect: connectOf(region) }])),
    },
    changes: [listen, ...regionChanges(found), KEYS_WANTED],
  };
}
