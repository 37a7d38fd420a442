/** The header fields of a program's answer as the client is told them: without those that are for one hop, or say what is not so. */
import type { IncomingMessage } from 'node:http';
import { type Field, saysLength } from '../../../encoding/http-fields.ts';
import { withoutHops } from './request-headers.ts';

export function answerHeaders({ statusCode, rawHeaders }: IncomingMessage): readonly Field[] {
  const fields = withoutHops(rawHeaders);
  return saysLength(statusCode) ? fields : fields.filter(([name]) => name.toLowerCase() !== 'content-length');
}
