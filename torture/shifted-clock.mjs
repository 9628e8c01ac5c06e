/**
 * Loaded into a server in front of its own code (NODE_OPTIONS=--import=…), so that its clock can jump while it runs and the product
 * needs no switch for it. TORTURE_CLOCK names a file with the milliseconds that are added to the time; without it nothing is changed.
 */
import { readFileSync } from 'node:fs';

const file = process.env.TORTURE_CLOCK;
const LOOK_EVERY_MS = 10;

if (file) {
  const RealDate = Date;
  let shift = 0;
  const look = () => {
    try {
      shift = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      // Being written.
    }
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();

  class ShiftedDate extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + shift);
      else super(...args);
    }
    static now() {
      return RealDate.now() + shift;
    }
  }
  // Called without `new` it is a function that gives a text.
  globalThis.Date = new Proxy(ShiftedDate, { apply: () => new ShiftedDate().toString() });
}
