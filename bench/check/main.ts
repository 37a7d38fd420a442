/**
 * Whether anything has become dearer: ratios of processor time, which other work on the machine changes least, against bench/expected.json.
 *
 *   node bench/check/main.ts     ends with 1 where one is outside its band
 *
 * Peers that are not installed are left out, and told. A band is what several runs gave, with room: what falls out of it downwards is good news, and
 * wants a new band.
 */
import { readFileSync } from 'node:fs';
import { exitCodeOf } from '../interrupt.ts';
import { Progress } from '../progress.ts';
import { machineFacts } from '../report/machine.ts';
import { planChainRatios } from './chain-ratios.ts';
import { type Expected, judgeRatio, tellVerdict } from './ratio.ts';
import { planRelayRatios } from './relay-ratios.ts';

async function check(signal: AbortSignal): Promise<number> {
  const expected: Expected = JSON.parse(readFileSync(new URL('../expected.json', import.meta.url), 'utf8'));
  const { machine, programs, load } = machineFacts({ haproxy: ['-v'] });
  console.log(`${machine}; ${programs}; load before ${load}`);
  const progress = new Progress();
  const plans = [planRelayRatios(progress, signal), planChainRatios(progress, signal)];
  const ratios = [];
  for (const measure of plans) ratios.push(...(await measure()));
  const verdicts = ratios.map((ratio) => judgeRatio(ratio, expected));
  for (const verdict of verdicts) console.log(tellVerdict(verdict));
  for (const name of Object.keys(expected)) {
    if (!ratios.some((ratio) => ratio.name === name)) console.log(`left out ${name}: not here`);
  }
  const bad = verdicts.filter(({ is }) => is !== 'as expected').length;
  console.log(`${verdicts.length - bad} passed, ${bad} failed`);
  return bad > 0 ? 1 : 0;
}

process.exitCode = await exitCodeOf(check);
