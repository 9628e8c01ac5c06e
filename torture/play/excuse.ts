/** Which refusals of a request that is in order are none of the server's faults. */
import type { ErrorCode } from '../../src/wire/error-codes.ts';
import type { Answer } from '../../test/server/http/client.ts';
import type { KindName } from '../scenario.ts';
import { codeOf } from './requests.ts';
import type { Stage } from './stage.ts';

const BROKEN: readonly ErrorCode[] = ['cancelled', 'cancelled-late', 'idle', 'request-timeout'];
/** The last one if it is a bit of the framing: that makes it no HTTP at all. */
const FLIPPED: readonly ErrorCode[] = ['digest-mismatch', 'bad-digest', 'truncated', 'bad-request'];
const STORAGE: readonly ErrorCode[] = ['storage-full', 'storage-failed', 'storage-timeout', 'cannot-read'];
const DATABASE: readonly ErrorCode[] = [
  'cannot-register',
  'cannot-increment',
  'cannot-list',
  'database-unavailable',
];

/** By what gets in the way of a round as a whole. */
const EXCUSES: Readonly<Record<KindName, readonly ErrorCode[]>> = {
  calm: [],
  client: [],
  // A replica that the machine keeps waiting sleeps, too.
  fight: ['lease-lost'],
  kill: [],
  line: [...BROKEN, ...FLIPPED],
  stop: ['shutting-down'],
  // SQLite's leases go by the server's clock: one jump ahead, and they have run out.
  clock: ['lease-lost'],
  disk: [...STORAGE, ...DATABASE],
  replica: ['lease-lost', ...BROKEN],
  engine: ['lease-lost', ...STORAGE, ...DATABASE],
};

/**
 * A refusal that nothing in this round explains is a fault.
 *
 * @param also codes that the round's other operations explain, or what is wrong with the request
 */
export function excuse(stage: Stage, answer: Answer, also: readonly ErrorCode[], what: string): void {
  const code = codeOf(answer);
  const excuses: readonly string[] = [...EXCUSES[stage.round.kind], ...also];
  if (excuses.includes(code)) return;
  stage.fault(`${what} was refused with ${answer.status} ${code}: ${answer.bytes.toString().slice(0, 300)}`);
}
