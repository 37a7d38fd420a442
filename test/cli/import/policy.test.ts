/**
 * Lists of Enclaver, converted, beside what Enclaver answers (policy/domain_filter.rs, policy/ip_filter.rs: the same forms of pattern, in names
 * of our own): what it refuses is refused here, and what it allows is allowed, unless the table says why not.
 */
import t from 'tap';
import { parse } from 'yaml';
import { convert } from '../../../cli/import/convert.ts';
import { manifestSchema } from '../../../cli/import/manifest.ts';
import { renderFiles } from '../../../cli/import/render.ts';
import { judgeTarget, parseEgressList } from '../../../wire/egress/judge.ts';
import { egressTarget } from '../../../wire/egress/target.ts';

interface Answers {
  readonly allow: readonly string[];
  readonly deny?: readonly string[];
  /** What Enclaver lets through. */
  readonly through: readonly string[];
  /** What it lets through and nothing here does, with the reason. */
  readonly stricter?: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
}

const BROADCAST = 'an address of no single host has no connections';
const UNSPECIFIED = 'it is the machine itself to whoever dials it';
const OTHER_SPELLING = 'the deny list holds for every spelling of a target';

const TABLE: readonly Answers[] = [
  {
    allow: ['clinic.test'],
    through: ['clinic.test', 'Clinic.TEST'],
    refused: ['clinic.example', '.clinic.test', 'ward.test', '', 'ward.clinic.test', 'clinic'],
  },
  {
    allow: ['*.test'],
    through: ['clinic.test', 'WARD.tEsT'],
    refused: ['clinic.example', '', 'ward.clinic.test', 'a.b.c.test', 'clinic', 'test'],
  },
  {
    allow: ['ward.*.test'],
    through: ['ward.clinic.test'],
    refused: ['clinic.example', '', 'clinic', 'ward.a.clinic.test', '.test', 'other.clinic.test'],
  },
  {
    allow: ['**.clinic.test'],
    through: ['ward.clinic.test', 'a.b.clinic.test'],
    refused: ['clinic.test', '', 'example', 'notclinic.test'],
  },
  { allow: ['192.0.2.22'], through: ['192.0.2.22'], refused: ['192.0.2.21', '192.0.2.22.test'] },
  { allow: ['192.0.2.22/32'], through: ['192.0.2.22'], refused: ['192.0.2.21', '192.0.2.23'] },
  {
    allow: ['192.0.2.22/24'],
    through: ['192.0.2.1', '192.0.2.22', '192.0.2.255'],
    refused: ['192.0.3.1', '193.0.2.1'],
  },
  {
    allow: ['0.0.0.0/0'],
    through: ['192.0.2.22', '8.8.8.8', '255.255.255.255', '169.254.169.254', '127.0.0.1'],
    stricter: {
      '255.255.255.255': BROADCAST,
      '169.254.169.254': 'no wide rule means the metadata service',
      '127.0.0.1': 'no wide rule means the parent’s own loopback interface',
    },
    refused: ['clinic.test'],
  },
  {
    allow: ['::/0'],
    through: ['::', 'fd12::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    stricter: { '::': UNSPECIFIED, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff': BROADCAST },
    refused: ['192.0.2.1'],
  },
  {
    allow: ['**.test'],
    deny: ['evil.test', '127.0.0.0/8'],
    through: ['good.test', 'evil.test.'],
    stricter: { 'evil.test.': OTHER_SPELLING },
    refused: ['evil.test', 'EVIL.test', '127.0.0.1'],
  },
];

function listFor({ allow, deny }: Answers) {
  const manifest = manifestSchema.parse({
    version: 'v1',
    name: 'policy',
    target: 'policy:enclave',
    sources: { app: 'policy:1' },
    egress: { allow, deny },
  });
  const { egress } = parse(renderFiles(convert(manifest)).enclave);
  return parseEgressList({ deny: [], ...egress.http });
}

/** A target that cannot even be named is refused. */
function isThrough(list: ReturnType<typeof listFor>, host: string): boolean {
  try {
    return judgeTarget(list, egressTarget(host, 443)).kind === 'allowed';
  } catch {
    return false;
  }
}

for (const answers of TABLE) {
  const { allow, deny = [], through, stricter = {}, refused } = answers;
  const name = `${allow.join(', ')}${deny.length === 0 ? '' : `, but ${deny.join(', ')}`}`;
  t.test(`lets nothing through by ${name} that Enclaver does not`, async (t) => {
    const list = listFor(answers);
    for (const host of refused) t.notOk(isThrough(list, host), host);
    for (const host of through)
      t.equal(isThrough(list, host), !(host in stricter), `${host}: ${stricter[host] ?? 'as there'}`);
  });
}
