/**
 * What a client may ask of the guard for its session, by a setting in the start-up packet (`PGOPTIONS='-c acra_enclave.protected=stored'`):
 * to have protected columns as they are stored, which shows it less. It holds for the whole session: PostgreSQL undoes SET with its
 * transaction and a savepoint, and does not report a setting of this kind. The database gets it as one that it has no use for.
 */
import { SessionError } from '../postgres/session-error.ts';
import type { StartupMessage } from '../postgres/startup-message.ts';
import { settingsInOptions } from '../postgres/startup-options.ts';

/** How a client sees protected columns: in their own types, or as bytea that holds containers. */
export type ColumnForm = 'decrypted' | 'stored';

const OURS = 'acra_enclave.';
const FORM_SETTING = `${OURS}protected`;
const FORMS: readonly string[] = ['decrypted', 'stored'] satisfies ColumnForm[];

/** @param name in any case, as PostgreSQL takes it */
export const isOwnSetting = (name: string): boolean => name.toLowerCase().startsWith(OURS);

const isForm = (value: string): value is ColumnForm => FORMS.includes(value);

/**
 * PostgreSQL takes `options` first, then the packet's own parameters, and the last of a name counts.
 * @throws SessionError 22023 a setting of ours that there is not: who mistypes it would get plaintext
 */
export function columnFormIn({ parameters }: StartupMessage): ColumnForm {
  const inOptions = settingsInOptions(parameters.get('options') ?? '');
  const inPacket = [...parameters].map(([name, value]) => ({ name, value }));
  let form: ColumnForm = 'decrypted';
  for (const { name, value } of [...inOptions, ...inPacket].filter((each) => isOwnSetting(each.name))) {
    const isKnown = name.toLowerCase() === FORM_SETTING;
    if (!isKnown || !isForm(value)) {
      const found = isKnown ? 'it has another value' : 'a setting has another name';
      throw new SessionError('22023', `${FORM_SETTING} is ${FORMS.join(' or ')} here, and ${found}`);
    }
    form = value;
  }
  return form;
}
