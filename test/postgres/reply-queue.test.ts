/** Which answer belongs to which request, in every order that PostgreSQL's protocol allows. */
import fc from 'fast-check';
import t from 'tap';
import { BACKEND } from '../../postgres/message-types.ts';
import { type PendingRequest, ReplyQueue, type RequestKind } from '../../postgres/reply-queue.ts';

interface Named extends PendingRequest {
  readonly name: string;
}

function newQueue() {
  const dropped: string[] = [];
  const queue = new ReplyQueue<Named>(({ name }) => dropped.push(name));
  /** `parse:a bind:b …` */
  const send = (requests: string) => {
    for (const request of requests.split(' ')) {
      const [kind = '', name = kind] = request.split(':');
      queue.sent({ kind: kind as RequestKind, name });
    }
  };
  const answer = (...types: (keyof typeof BACKEND)[]) => types.map((type) => queue.answered(BACKEND[type])?.name);
  return { queue, dropped, send, answer };
}

t.test('gives each answer to its request, in a pipeline', async (t) => {
  const { queue, send, answer } = newQueue();
  send('parse:a describe:b bind:c execute:d close:e sync parse:f bind:g execute:h sync query:i');
  t.same(answer('parseComplete', 'parameterDescription', 'rowDescription'), ['a', 'b', 'b']);
  t.same(answer('bindComplete', 'dataRow', 'dataRow', 'commandComplete'), ['c', 'd', 'd', 'd']);
  t.same(answer('closeComplete'), ['e']);
  queue.ready();
  t.same(answer('parseComplete', 'bindComplete', 'portalSuspended'), ['f', 'g', 'h']);
  queue.ready();
  t.same(
    answer('rowDescription', 'dataRow', 'commandComplete', 'rowDescription', 'emptyQueryResponse'),
    Array(5).fill('i'),
  );
  t.notOk(queue.isEmpty, 'a query is over with ReadyForQuery');
  queue.ready();
  t.ok(queue.isEmpty);
});

t.test('gives messages that answer nothing to nobody', async (t) => {
  const { queue, send } = newQueue();
  send('query:a');
  for (const type of ['N', 'A', 'S', 'K', 'R', 'G', 'H', 'W', 'd', 'c', 'V', '?', ''])
    t.equal(queue.answered(type), undefined, type);
  t.equal(queue.current?.name, 'a');
});

for (const at of ['parse', 'bind', 'describe', 'execute', 'close'] as const) {
  t.test(`skips up to Sync after an error at ${at}, also what is sent later`, async (t) => {
    const { queue, dropped, send, answer } = newQueue();
    send(`${at}:bad parse:x query:y execute:z`);
    t.equal(queue.failed()?.name, 'bad');
    send('bind:late query:later');
    t.same(dropped, ['bad', 'x', 'y', 'z', 'late', 'later']);
    send('sync parse:next');
    queue.ready();
    t.same(answer('parseComplete'), ['next']);
  });
}

t.test('drops nothing behind the Sync that ends the skipping', async (t) => {
  const { queue, dropped, send, answer } = newQueue();
  send('bind:bad execute:x sync query:q parse:p sync');
  queue.failed();
  queue.ready();
  t.same(dropped, ['bad', 'x']);
  t.same(answer('rowDescription'), ['q']);
});

for (const at of ['query', 'functionCall', 'sync'] as const) {
  t.test(`ends only the request after an error at ${at}`, async (t) => {
    const { queue, dropped, send, answer } = newQueue();
    send(`${at}:bad parse:p bind:b`);
    t.equal(queue.failed()?.name, 'bad');
    queue.ready();
    t.same(answer('parseComplete', 'bindComplete'), ['p', 'b']);
    t.same(dropped, []);
  });
}

t.test('tells of no request at an error out of turn', async (t) => {
  const { queue, send, answer } = newQueue();
  t.equal(queue.failed(), undefined);
  send('parse:a');
  t.same(answer('parseComplete'), ['a']);
});

t.test('forgets each Sync that the database ignored during COPY in the extended protocol', async (t) => {
  const { queue, send, answer } = newQueue();
  send('parse:p bind:b execute:copy sync sync');
  t.same(answer('parseComplete', 'bindComplete'), ['p', 'b']);
  queue.copyEnded();
  send('sync query:q');
  t.same(answer('commandComplete'), ['copy']);
  queue.ready();
  t.same(answer('rowDescription'), ['q']);
});

t.test('keeps each Sync behind a COPY in the simple protocol', async (t) => {
  const { queue, send, answer } = newQueue();
  send('query:copy parse:p sync');
  queue.copyEnded();
  t.same(answer('commandComplete'), ['copy']);
  queue.ready();
  t.same(answer('parseComplete'), ['p']);
  queue.ready();
  t.ok(queue.isEmpty);
});

/** A database that carries requests out by the manual's rules, with errors where it is told to. */
function play(requests: readonly { kind: RequestKind; fails: boolean }[]) {
  const events: { type: string; name: string }[] = [];
  let isSkipping = false;
  const ok: Readonly<Record<RequestKind, readonly string[]>> = {
    parse: [BACKEND.parseComplete],
    bind: [BACKEND.bindComplete],
    describe: [BACKEND.parameterDescription, BACKEND.rowDescription],
    execute: [BACKEND.dataRow, BACKEND.commandComplete],
    close: [BACKEND.closeComplete],
    query: [BACKEND.rowDescription, BACKEND.dataRow, BACKEND.commandComplete, BACKEND.readyForQuery],
    functionCall: [BACKEND.readyForQuery],
    sync: [BACKEND.readyForQuery],
  };
  for (const [index, { kind, fails }] of requests.entries()) {
    const name = String(index);
    const endsWithReady = kind === 'query' || kind === 'functionCall' || kind === 'sync';
    if (kind === 'sync') isSkipping = false;
    if (isSkipping) continue;
    if (fails) events.push({ type: BACKEND.errorResponse, name });
    if (fails && endsWithReady) events.push({ type: BACKEND.readyForQuery, name });
    if (fails) isSkipping = !endsWithReady;
    else events.push(...ok[kind].map((type) => ({ type, name })));
  }
  return events;
}

t.test('follows a database through any pipeline with errors anywhere', async () => {
  const kind = fc.constantFrom<RequestKind>(
    'parse',
    'bind',
    'describe',
    'execute',
    'close',
    'query',
    'functionCall',
    'sync',
  );
  const request = fc.record({ kind, fails: fc.integer({ min: 0, max: 4 }).map((value) => value === 0) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), fc.array(fc.nat(5), { minLength: 1 }), (requests, ahead) => {
      const { queue } = newQueue();
      const events = play(requests);
      let sentCount = 0;
      const sendUntil = (end: number) => {
        for (; sentCount < Math.min(end, requests.length); sentCount++) {
          queue.sent({ kind: requests[sentCount]!.kind, name: String(sentCount) });
        }
      };
      return events.every(({ type, name }, index) => {
        sendUntil(Number(name) + 1 + (ahead[index % ahead.length] ?? 0));
        if (type === BACKEND.errorResponse) return queue.failed()?.name === name;
        if (type !== BACKEND.readyForQuery) return queue.answered(type)?.name === name;
        queue.ready();
        return true;
      });
    }),
    { seed: 5, numRuns: 2000 },
  );
});

t.test('answers a pipeline of any length in time that grows with it', { timeout: 20_000 }, async (t) => {
  for (const [kind, answer] of [
    ['sync', 'Z'],
    ['parse', '1'],
  ] as const) {
    const queue = new ReplyQueue<PendingRequest>();
    for (let count = 0; count < 200_000; count += 1) queue.sent({ kind });
    for (let count = 0; count < 200_000; count += 1) {
      if (answer === 'Z') queue.ready();
      else queue.answered(answer);
    }
    t.ok(queue.isEmpty, kind);
  }
});
