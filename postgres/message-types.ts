/** The letters of the messages that somebody here looks at (PostgreSQL 18, "Message Formats"). One letter means another thing in each direction. */

/** From the client. */
export const FRONTEND = {
  bind: 'B',
  close: 'C',
  copyData: 'd',
  copyDone: 'c',
  copyFail: 'f',
  describe: 'D',
  execute: 'E',
  flush: 'H',
  functionCall: 'F',
  parse: 'P',
  query: 'Q',
  saslResponse: 'p',
  sync: 'S',
  terminate: 'X',
} as const;

/** From the database. */
export const BACKEND = {
  authentication: 'R',
  backendKeyData: 'K',
  bindComplete: '2',
  closeComplete: '3',
  commandComplete: 'C',
  copyData: 'd',
  copyDone: 'c',
  copyInResponse: 'G',
  copyOutResponse: 'H',
  dataRow: 'D',
  emptyQueryResponse: 'I',
  errorResponse: 'E',
  negotiateProtocolVersion: 'v',
  noData: 'n',
  noticeResponse: 'N',
  notificationResponse: 'A',
  parameterDescription: 't',
  parameterStatus: 'S',
  parseComplete: '1',
  portalSuspended: 's',
  readyForQuery: 'Z',
  rowDescription: 'T',
} as const;

/** From the database, at any time, and in answer to nothing. */
export const UNASKED: readonly string[] = [
  BACKEND.parameterStatus,
  BACKEND.noticeResponse,
  BACKEND.notificationResponse,
];
