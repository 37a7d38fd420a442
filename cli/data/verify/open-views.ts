/** Two sessions of one identity at an enclave: one that has protected columns opened, and one that has them as they are stored. */
import { openSession } from '../enclave-session.ts';
import { AS_STORED, requireStoredForm } from './stored-form.ts';
import type { Views } from './views.ts';

/** @throws CliError CLI_DATA_AS_STORED, CLI_DATABASE */
export async function openViews(config: Parameters<typeof openSession>[0]): Promise<Views> {
  await requireStoredForm((settings) => openSession(config, settings));
  const opened = await openSession(config);
  try {
    const stored = await openSession(config, AS_STORED);
    return {
      opened,
      stored,
      end: async () => {
        await Promise.all([opened.end(), stored.end()]);
      },
    };
  } catch (error) {
    await opened.end();
    throw error;
  }
}
