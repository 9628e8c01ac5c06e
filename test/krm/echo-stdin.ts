/** A program for stdio.test.ts: copies stdin to stdout and says on stderr whether all of it went through. */
import { readStdin, writeFully } from '../../src/krm/stdio.ts';

const input = readStdin();
const through = writeFully(1, input);
writeFully(2, new TextEncoder().encode(`${input.length} ${through}\n`));
