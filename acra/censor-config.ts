/**
 * AcraCensor's configuration, as acra-server 0.96.0 reads it, and stricter: a key that it does not know it passes over in silence, and a
 * rule that is not there forbids nothing. What writes statements to files is refused, for they are plaintext.
 * Specification: acra-censor/acra-censor_configuration_provider.go of Acra; acra-server contract 4.7.
 */
import { z } from 'zod';
import { loadConfig } from '../config/load.ts';

const NOT_HERE = 'must be left out: it writes statements to a file, in plaintext';
const MIN_VERSION = /^(0\.(8[5-9]|9\d|\d{3,})|[1-9]\d*\.\d+)\.\d+$/;

const texts = z.array(z.string().min(1)).optional();

const handler = z
  .strictObject({
    handler: z.enum(['allow', 'allowall', 'deny', 'denyall', 'query_ignore'], {
      error: `must be one of: allow, allowall, deny, denyall, query_ignore. query_capture ${NOT_HERE}`,
    }),
    queries: texts,
    tables: texts,
    patterns: texts,
  })
  .superRefine(({ handler: kind, queries = [], tables = [], patterns = [] }, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const isAll = kind === 'allowall' || kind === 'denyall';
    if (isAll && queries.length + tables.length + patterns.length > 0)
      fault('handler', `${kind} takes no queries, tables or patterns: acra-server would pass over them`);
    if (kind === 'query_ignore' && tables.length + patterns.length > 0)
      fault('handler', 'query_ignore takes queries only: acra-server would pass over the others');
    if (!isAll && queries.length + tables.length + patterns.length === 0)
      fault('handler', `${kind} must name something`);
  });

const censorSchema = z.strictObject({
  version: z.string().regex(MIN_VERSION, { error: 'must be a version from 0.85.0 on, such as 0.96.0' }),
  ignore_parse_error: z.boolean().default(false),
  parse_errors_log: z.undefined({ error: NOT_HERE }).optional(),
  handlers: z.array(handler).min(1, { error: 'must have a handler' }),
});

/** @throws ConfigError CONFIG_FILE_READ, CONFIG_SYNTAX, CONFIG_INVALID with all that is wrong */
export function requireCensorConfig(file: string): void {
  loadConfig(censorSchema, file);
}
