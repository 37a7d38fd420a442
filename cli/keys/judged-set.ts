/**
 * A key set that came over the parent, or lies in a copy of one of its folders: judged as the enclave judges it. What it says is then what an
 * enclave of a trusted image wrote; whether it is the newest is not told by that.
 */
import { resolve } from 'node:path';
import { checkDemands } from '../../attestation/verify/demands.ts';
import { parentKeysOf } from '../../config/keys.ts';
import { firstKeySet } from '../../host-proxy/keys/key-answers.ts';
import { type KeySetFiles, readKeySetFiles } from '../../host-proxy/keys/stored-set.ts';
import { KeyError } from '../../keys/errors.ts';
import { decodeKeySet, type KeySet, keySetDigest } from '../../keys/set/key-set.ts';
import { parseTranscript, type ReadTranscript, readTranscript } from '../../keys/set/transcript.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import type { DaemonOption } from '../ask-daemon.ts';
import { CliError } from '../errors.ts';
import type { KeysContext } from '../keys-context.ts';
import { readDemands } from '../verify/demands.ts';
import { askFor } from './ask-keys.ts';
import type { EnclaveOptions } from './enclave-options.ts';
import type { ProvenEnclave } from './proven-enclave.ts';

const IMAGE_PCR = toPcrIndex(0);

export interface JudgedKeySet {
  readonly set: KeySet;
  readonly sha256: string;
  readonly transcript: ReadTranscript;
}

/** Whose sets count: PCR0 of the enclave, and of those whose sets it takes. */
type Makers = Pick<ProvenEnclave, 'name' | 'image' | 'madeIn' | 'rootDer'>;

/** @throws KeyError KEY_SET_INVALID, KEY_SET_OTHER_ENCLAVE, KEY_TRANSCRIPT_… */
function judge({ keySet, transcript }: KeySetFiles, { name, rootDer, image, madeIn }: Makers): JudgedKeySet {
  const set = decodeKeySet(keySet);
  if (set.name !== name) {
    const details = { found: set.name, allowed: name };
    throw new KeyError('KEY_SET_OTHER_ENCLAVE', 'the key set is of another enclave', details);
  }
  const read = readTranscript(parseTranscript(transcript), keySet, { rootDer, images: [image, ...madeIn] });
  return { set, sha256: keySetDigest(keySet), transcript: read };
}

/** The set that the parent brings. @throws KeyError KEY_SET_INVALID, KEY_SET_OTHER_ENCLAVE, KEY_TRANSCRIPT_…; CodedError of the daemon */
export async function judgeFirstSet(options: DaemonOption, enclave: ProvenEnclave): Promise<JudgedKeySet> {
  const answer = await askFor(options, { command: 'key-set' }, firstKeySet);
  const bytesOf = (text: string) => Buffer.from(text, 'base64');
  return judge({ keySet: bytesOf(answer.keySet), transcript: bytesOf(answer.transcript) }, enclave);
}

/** @param folder as the parent has it in `keys.folder`. @throws CliError CLI_OPTION: it holds none; KeyError as judgeFirstSet */
export async function judgeStoredSet(folder: string, makers: Makers): Promise<JudgedKeySet> {
  let files: KeySetFiles;
  try {
    files = await readKeySetFiles(resolve(folder));
  } catch (cause) {
    throw new CliError('CLI_OPTION', `--key-set: ${folder} holds no key set`, {
      allowed: 'a folder of `keys.folder` on the parent, or a copy: key-set.json and transcript.json',
      cause,
    });
  }
  return judge(files, makers);
}

/** No enclave is asked: the options say which image is meant, enclave.yaml which others. @throws CliError CLI_OPTION; MeasurementsError */
export async function makersNamed({ config }: KeysContext, options: EnclaveOptions): Promise<Makers> {
  const { measurements, trustRootPem } = await readDemands(options);
  const { rootDer } = checkDemands({ measurements: 'not-judged', ...(trustRootPem !== undefined && { trustRootPem }) });
  const pcr0 = measurements === 'not-judged' ? undefined : measurements.pcrs.get(IMAGE_PCR);
  if (pcr0 === undefined) throw new CliError('CLI_OPTION', 'no PCR0 is named of the image that made the key set');
  const { madeIn = [] } = parentKeysOf(config) ?? {};
  return { name: config.name, image: Buffer.from(pcr0).toString('hex'), madeIn, rootDer };
}

/** @param used hash of the set in use. @throws CliError CLI_KEYS_OTHER_SET */
export function requireUsed({ set, sha256 }: JudgedKeySet, used: string | null): void {
  if (sha256 === used) return;
  throw new CliError('CLI_KEYS_OTHER_SET', 'the key set is not the one that the enclave works with', {
    found: `generation ${set.generation}, ${sha256}`,
    allowed: used ?? 'none: the enclave has no keys',
  });
}
