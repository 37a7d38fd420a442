/** A conversation about one table, with a protector that marks what it has seen and refuses what it is told to. */
import { Conversation } from '../../../../acra/conversation/conversation.ts';
import type { ConversationOptions } from '../../../../acra/conversation/options.ts';
import type { ValueProtector } from '../../../../acra/conversation/value-protector.ts';
import { parseEncryptorConfig } from '../../../../acra/encryptor-config/lint.ts';
import type { Reader } from '../../../../acra/statements/draft.ts';
import { Refusal } from '../../../../acra/statements/refusal.ts';
import { StatementJudge } from '../../../../acra/statements/statement-judge.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { errorFields } from '../../../emulator/acra-server/support/frames.ts';

export const ENCRYPTOR_CONFIG = `
schemas:
  - table: person
    columns: [id, secret, note]
    encrypted:
      - column: secret
        data_type: str
        response_on_fail: error
`;

/** As a protector that can read no row. */
export const UNREADABLE: Partial<ValueProtector> = {
  rows: async () => {
    throw new Refusal('unreadable', 'encoding error in column "secret"');
  },
};

const marking: ValueProtector = {
  literal: async ({ value }) => Buffer.from(`sealed ${value}`),
  parameter: async (_use, value) => value && Buffer.concat([Buffer.from('sealed '), value]),
  rows: async (frames) => frames,
  copied: async () => undefined,
};

/** @param reader default: acra-server in line */
export async function conversationRig(t: { teardown(run: () => Promise<void>): void }, reader: Reader = 'acra-server') {
  const { tables } = parseEncryptorConfig(ENCRYPTOR_CONFIG, 'encryptor.yaml');
  const judge = await StatementJudge.start(tables, systemClock, { reader });
  t.teardown(() => judge.stop());
  return (protector: Partial<ValueProtector> = {}, options: Partial<ConversationOptions> = {}) =>
    new Conversation({ judge, protector: { ...marking, ...protector }, refusedBy: 'refused', ...options });
}

/** Types of messages, an error with its SQLSTATE. */
export function shown(answers: readonly Buffer[]): string[] {
  return answers.map((answer) => {
    const type = answer.toString('latin1', 0, 1);
    return type === 'E' ? `E ${errorFields(answer.subarray(5))['C']}` : type;
  });
}
