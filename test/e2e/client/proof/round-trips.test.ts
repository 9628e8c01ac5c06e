/** What is stored comes back byte for byte, whatever its size, in bounded memory. `PROOF_GIB=5` is the long form. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loudly } from '../../loudly.ts';
import { SEALED } from './keys.ts';
import { proofFolder } from './programs.ts';
import { roundTrip, withData } from './round-trips.ts';
import { withTls } from './tls.ts';
import { assertNothingStored, roomy, UploadWorld } from './uploads.ts';

const test = suite('e2e/client/proof/round-trips');

const KIB = 1024;
const LARGE = process.env.PROOF_GIB ? Number(process.env.PROOF_GIB) * KIB ** 3 : 512 * KIB ** 2;
let world: UploadWorld;

test.before(
  loudly(async () => {
    world = await UploadWorld.start([
      ...[...SEALED, 'large'].map((name) => roomy(name, { maxBackupsCount: 2 })),
      roomy('empty'),
    ]);
  }),
);
test.after(() => world?.repository.remove());

for (const content of ['random', 'sql'] as const) {
  test(`${content}: every awkward size`, async () => {
    for (const bytes of [1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, KIB ** 2 + 1])
      await withData(content, bytes, async (file) => {
        const both = SEALED.map((format) => roundTrip(world, format, file, { format, content, bytes }));
        assert.equal(
          (await Promise.all(both)).flatMap(({ faults }) => faults),
          [],
        );
      });
  });

  test(`${content}: ${LARGE / KIB ** 2} MiB`, async () => {
    await withData(content, LARGE, async (file) => {
      const all: string[] = [];
      for (const format of SEALED) {
        const trip = { format, content, bytes: LARGE };
        const { faults, ...figures } = await roundTrip(world, 'large', file, trip);
        console.log(`  ${JSON.stringify(figures)}`);
        all.push(...faults);
      }
      assert.equal(all, []);
    });
  });
}

test(`random, through TLS: ${LARGE / KIB ** 2} MiB`, async () => {
  const trip = { format: 'age', content: 'random', bytes: LARGE } as const;
  await withData('random', LARGE, (file) =>
    withTls(world.repository.url, proofFolder, async (BM_URL, BM_CA_FILE) => {
      const { faults, ...figures } = await roundTrip(world, 'large', file, trip, { BM_URL, BM_CA_FILE });
      console.log(`  through TLS ${JSON.stringify(figures)}`);
      assert.equal(faults, []);
    }),
  );
});

test('nothing is refused', async () => {
  for (const format of SEALED)
    assertNothingStored(
      await world.make({ collection: 'empty', command: 'true', format }),
      5,
      /wrote nothing/,
    );
});

test.run();
