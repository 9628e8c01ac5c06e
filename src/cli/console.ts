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
  const every = progress === 'line' ? LINE_EVERY_MS : LOG_EVERY_MS;
  let drawn = false;
  let first: Moment | undefined;
  let lastAt: number | undefined;

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
    // Nothing to say yet in the first half minute of a log.
    if (lastAt === undefined && progress === 'log') lastAt = at;
    if (lastAt !== undefined && at - lastAt < every) return;
    lastAt = at;
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
      if (hint !== undefined && format === 'people') write(`  try: ${printable(hint)}\n`);
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
  if (format === 'json') return jsonOf({ time, level, msg: message, ...Object.fromEntries(given) });
  if (format === 'text') {
    const pairs = given.map(([name, value]) => ` ${name}=${quoted(String(value))}`).join('');
    return `time=${quoted(time)} level=${level} msg=${quoted(message)}${pairs}`;
  }
  const details = given.map(([name, value]) => `${name} ${value}`).join(', ');
  const text = details === '' ? message : `${message} (${details})`;
  return level === 'info' ? printable(text) : `backup-maker: ${level}: ${printable(text)}`;
}

/** Control characters, and those that turn the direction of writing around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be replaced
const STEERING = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** What a server or a file name says must not steer somebody's terminal. */
export function printable(text: string): string {
  return text.replace(STEERING, ' ');
}

/** JSON on one line, in which nothing steers a terminal either. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value).replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function quoted(text: string): string {
  return /^[\w./:+-]+$/.test(text) ? text : jsonOf(text);
}
