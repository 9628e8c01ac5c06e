/** The behavioural suite, whose every message is the original's, on the engines that need nothing. */
import { openReplicas } from './in-process.ts';
import { sqliteAndFolder } from './sqlite-folder.ts';
import { httpSuite } from './suite.ts';

httpSuite(
  'http on SQLite and a folder',
  openReplicas(async () => [await sqliteAndFolder()], { alone: true }),
);
