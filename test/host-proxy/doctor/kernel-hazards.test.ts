/** Which kernels are known to harm vsock, by what they call themselves; and that docs/vsock-kernels.md says the same. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { KERNEL_HAZARDS, mendedIn, standing } from '../../../host-proxy/doctor/kernel-hazards.ts';
import { parseKernelRelease } from '../../../host-proxy/doctor/kernel-release.ts';

/** Hazards that the kernel has, and `?` before those that its name does not tell of. */
function hazardsOf(text: string): readonly string[] | undefined {
  const kernel = parseKernelRelease(text);
  return (
    kernel &&
    KERNEL_HAZARDS.flatMap((hazard) => {
      const found = standing(hazard, kernel);
      return found === 'has-not' ? [] : [found === 'has' ? hazard.name : `?${hazard.name}`];
    })
  );
}

const QUEUE = 'accept-queue';
const SMALL = 'small-packets';
const OLD = 'old-enclave-kernel';

const KERNELS: Readonly<Record<string, readonly string[] | undefined>> = {
  // Amazon Linux: the stable release stands in front.
  '4.14.177-104.253.amzn2.x86_64': [OLD],
  '5.10.201-191.748.amzn2.x86_64': [QUEUE],
  '5.10.258-260.1030.amzn2.aarch64': [],
  '6.1.148-173.267.amzn2023.x86_64': [QUEUE],
  '6.1.175-200.300.amzn2023.x86_64': [],
  '6.12.79-101.147.amzn2023.x86_64': [QUEUE],
  '6.12.95-110.150.amzn2023.aarch64': [SMALL],
  '6.12.103-127.188.amzn2023.x86_64': [],
  // Debian: since 2025 as well; before, a number of its own.
  '6.12.89+deb13-cloud-amd64': [QUEUE],
  '6.12.93+deb13-cloud-amd64': [],
  '6.12.94+deb13-cloud-amd64': [SMALL],
  '6.12.100+deb13-arm64': [SMALL],
  '6.12.101+deb13+1-amd64': [],
  '6.1.0-18-amd64': [`?${QUEUE}`],
  '5.10.0-28-cloud-amd64': [`?${QUEUE}`],
  // Ubuntu, Red Hat and others who keep a number.
  '6.8.0-1021-aws': [`?${QUEUE}`],
  '5.15.0-1084-aws': [`?${QUEUE}`],
  '7.0.0-1004-azure': [`?${SMALL}`, `?${QUEUE}`],
  '5.14.0-503.11.1.el9_5.x86_64': [`?${QUEUE}`],
  '6.12.0-55.9.1.el10_0.x86_64': [`?${SMALL}`, `?${QUEUE}`],
  '6.17.4-200.fc42.x86_64': [`?${QUEUE}`],
  // kernel.org, and who builds his own.
  '4.14.256': [OLD],
  '4.19.300': [OLD],
  '5.4.290': [],
  '5.5.1': [QUEUE],
  '5.15.208': [QUEUE],
  '5.15.209': [],
  '6.6.61': [QUEUE, OLD],
  '6.6.79': [QUEUE],
  '6.6.140': [],
  '6.8.12': [QUEUE],
  '6.12.89': [QUEUE],
  '6.12.90': [],
  '6.12.117': [],
  '6.17.9': [QUEUE],
  '6.18.31': [QUEUE],
  '6.18.35': [],
  '6.18.36': [SMALL],
  '6.18.41': [SMALL],
  '6.18.44-fc-v857': [],
  '7.0.8': [QUEUE],
  '7.0.12': [],
  '7.0.20': [SMALL],
  '7.1': [SMALL],
  '7.1.5-custom': [SMALL],
  '7.1.6': [],
  '7.2.0-rc1': [],
  '8.0.0': [],
  ' 6.12.117\n': [],
  // Odd ones.
  '': undefined,
  next: undefined,
  '6': undefined,
  '6.x.1': undefined,
  '6.12.1 \u001b[31m': undefined,
  '99999999999.1.1': undefined,
};

for (const [text, expected] of Object.entries(KERNELS)) {
  t.test(
    `${JSON.stringify(text)}: ${expected === undefined ? 'no name of a kernel' : expected.join(', ') || 'none known'}`,
    async (t) => {
      t.same(hazardsOf(text), expected);
    },
  );
}

t.test('names the version of the same series that mends it, where there is one', async (t) => {
  const mended = (name: string, text: string) =>
    mendedIn(KERNEL_HAZARDS.find((hazard) => hazard.name === name)!, parseKernelRelease(text)!);
  t.equal(mended(SMALL, '6.12.95'), '6.12.101');
  t.equal(mended(SMALL, '7.0.14'), undefined);
  t.equal(mended(QUEUE, '6.17.9'), undefined);
});

t.test('docs/vsock-kernels.md names each hazard, its source and every version that mends it', async (t) => {
  const document = readFileSync(new URL('../../../docs/vsock-kernels.md', import.meta.url), 'utf8');
  for (const { name, source, spans } of KERNEL_HAZARDS) {
    const row = document.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
    t.ok(row.includes(source), `${name}: ${source}`);
    for (const { series, mended } of spans)
      if (mended !== undefined) t.ok(row.includes(`${series}.${mended}`), `${name} ${series}`);
  }
});
