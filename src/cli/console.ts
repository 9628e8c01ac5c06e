/** How operations look on standard error: for people on a terminal, as key=value lines, or as JSON. */
import type { Fields, Progress, Report } from '../client/report.ts';
import { describeProgress, type Moment } from './progress.ts';

export interface ConsoleOptions {
  write(text: string): unknown;
  /** `people`: sentences; `text`: key=value, as the original logged; `json`: an object a line. */
  format: 'people' | 'text' | 'json';
  /** Most that is shown: 0 error, 1 warn, 2 info, 3 debug. */
  verbosity: number;
  /** `line`: one that moves; `log`: one log line every half minute. */
  progress: 'line' | 'log' | 'never';
  /** Width of the terminal in characters. */
  columns(): number;
  /** Milliseconds since any moment. */
  clock(): number;
  /** RFC 3339. */
  now(): string;
}

export interface Console extends Report {
  error(message: string, hint: string | undefined, fields?: Fields): void;
  /** Clears a moving line. */
  end(): void;
}

const LINE_EVERY_MS = 200;
const LOG_EVERY_MS = 30_000;

export function createConsole(options: ConsoleOptions): Console {
  const { write, format, verbosity, progress, clock } = options;
  let drawn = false;
  let first: Moment | undefined;
  let lastAt = 0;

  const clear = () => {
    if (drawn) write('\r\u001b[K');
    drawn = false;
  };
  const log = (level: 'error' | 'warning' | 'info', message: string, fields: Fields = {}) => {
    clear();
    write(`${lineOf(format, options.now(), level, message, fields)}\n`);
  };
  const move = (now: Progress) => {
    const at = clock();
    // Every phase has a rate and a time of its own.
    if (first?.phase !== now.phase) first = { phase: now.phase, at };
    if (at - lastAt < (progress === 'line' ? LINE_EVERY_MS : LOG_EVERY_MS)) return;
    // Nothing to say yet in the first half minute of a log.
    const silent = progress === 'log' && lastAt === 0;
    lastAt = at;
    if (silent) return;
    const described = describeProgress(now, at - first.at);
    if (progress === 'line') {
      write(`\r${described.text.slice(0, Math.max(20, options.columns() - 1))}\u001b[K`);
      drawn = true;
    } else {
      log('info', now.phase, described.fields);
    }
  };

  return {
    info: (message, fields) => {
      if (verbosity >= 2) log('info', message, fields);
    },
    warn: (message, fields) => {
      if (verbosity >= 1) log('warning', message, fields);
    },
    error: (message, hint, fields) => {
      log('error', message, { ...fields, ...(hint !== undefined && format !== 'people' && { try: hint }) });
      if (hint !== undefined && format === 'people') write(`  try: ${hint}\n`);
    },
    progress: progress === 'never' || verbosity < 2 ? () => {} : move,
    end: clear,
  };
}

function lineOf(
  format: ConsoleOptions['format'],
  time: string,
  level: string,
  message: string,
  fields: Fields,
): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (format === 'json') return JSON.stringify({ time, level, msg: message, ...Object.fromEntries(given) });
  if (format === 'text') {
    const pairs = given.map(([name, value]) => ` ${name}=${quoted(String(value))}`).join('');
    return `time=${quoted(time)} level=${level} msg=${quoted(message)}${pairs}`;
  }
  const details = given.map(([name, value]) => `${name} ${value}`).join(', ');
  const text = details === '' ? message : `${message} (${details})`;
  return level === 'info' ? printable(text) : `backup-maker: ${level}: ${printable(text)}`;
}

/** What a server or a file name says must not steer somebody's terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

function quoted(text: string): string {
  return /^[\w./:+-]+$/.test(text) ? text : JSON.stringify(text);
}
