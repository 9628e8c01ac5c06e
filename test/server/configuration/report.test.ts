/** What an operator gets to know of a mistake that was made while the server runs: a log line, a figure, and its end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reportProblems } from '../../../src/server/configuration/report.ts';
import { startServer } from '../../../src/server/start.ts';
import { eventually } from '../../eventually.ts';
import { call } from '../http/client.ts';
import { ADMIN_PASSWORD, folder, removeFolders, user } from './folders.ts';

interface Line {
  level: string;
  msg: string;
  problem?: string;
}

const test = suite('mistakes in the configuration are told');
test.after.each(removeFolders);

test('a typo that is made after the start: in the log, in the figures, and both when it is mended', async () => {
  const leaver = (spec: string) => user('leaver', `password: ${ADMIN_PASSWORD}${spec}`);
  const at = folder({ 'admin.yaml': user('admin'), 'leaver.yaml': leaver('') });
  const lines: Line[] = [];
  const running = await startServer({
    provider: 'filesystem',
    configPath: at.path,
    namespace: 'backup-repository',
    dataPath: `${at.path}/data`,
    listen: { host: '127.0.0.1', port: 0 },
    settings: { openMetrics: true },
    log: { level: 'info', stream: { write: (line) => void lines.push(JSON.parse(line)) } },
  });
  try {
    const told = () => lines.filter(({ problem }) => problem !== undefined);
    const figure = async () => {
      const page = (await call('GET', `${running.address}/metrics`)).bytes.toString();
      return /^backup_repository_configuration_problems (\d+)$/m.exec(page)?.[1];
    };
    assert.is(await figure(), '0');
    at.write('leaver.yaml', leaver(', deactived: true'));
    await eventually('a line about the mistake', () => told().length > 0);
    assert.is(await figure(), '1');
    at.write('leaver.yaml', leaver(', deactivated: true'));
    await eventually('a line that it is mended', () => told().length > 1);
    assert.is(await figure(), '0');
    assert.equal(
      told().map(({ level, msg }) => [level, msg]),
      [
        ['warn', 'the configuration has a problem'],
        ['info', 'the configuration no longer has this problem'],
      ],
    );
    const [made, mended] = told().map(({ problem = '' }) => problem);
    assert.match(made ?? '', /^leaver\.yaml: BackupUser leaver: spec\.deactived .*last good state/);
    assert.is(mended, made);
  } finally {
    await running.close();
  }
});

test('each once, from the start on, until that is ended', async () => {
  let problems: string[] = ['old'];
  const told: string[] = [];
  const note = (sign: string) => (fields: object) =>
    void told.push(`${sign}${(fields as { problem: string }).problem}`);
  const stop = reportProblems({ problems: () => problems }, { warn: note('+'), info: note('-') }, 1);
  assert.equal(told, ['+old']);
  problems = ['old', 'new', 'new'];
  await eventually('the new one', () => told.length > 1);
  problems = ['new', 'newest'];
  await eventually('one more, one less', () => told.length > 3);
  assert.equal(told, ['+old', '+new', '+newest', '-old']);
  stop();
  problems = ['unheard'];
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is(told.length, 4);
});

test.run();
