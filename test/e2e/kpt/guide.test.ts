/** The guide, step by step, as its reader takes it. */
import { suite } from 'uvu';
import { runGuide } from '../guide.ts';

const test = suite('docs/kpt.md');

runGuide('docs/kpt.md', test);

test.run();
