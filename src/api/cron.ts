/**
 * Cron expressions as the CronJob controller reads them: five fields, or a descriptor such as `@daily`.
 *
 * The controller uses the "standard" parser of robfig/cron: names for months and week days, `?` as `*`, steps
 * on everything, Sunday is 0 only. A time zone inside the expression is refused by the API server.
 */

interface Field {
  name: string;
  low: number;
  high: number;
  names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', low: 0, high: 59 },
  { name: 'hour', low: 0, high: 23 },
  { name: 'day of month', low: 1, high: 31 },
  {
    name: 'month',
    low: 1,
    high: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', low: 0, high: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Says why the expression is not one that a CronJob accepts; undefined when it is. Never throws. */
export function explainCron(expression: string): string | undefined {
  if (/TZ=/.test(expression)) return 'a time zone does not belong here: write it into timeZone';
  const text = expression.trim();
  if (text.startsWith('@')) return explainDescriptor(text);
  const fields = text === '' ? [] : text.split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return `expected 5 fields (minute, hour, day of month, month, day of week), got ${fields.length}`;
  }
  for (const [index, field] of FIELDS.entries()) {
    for (const part of (fields[index] ?? '').split(',')) {
      const reason = explainPart(part, field);
      if (reason) return `${field.name} "${part}": ${reason}`;
    }
  }
  return explainNever(fields);
}

/**
 * An accepted expression with single blanks between its parts and none around them: the controller's parser wants descriptors
 * so, and takes fewer characters for blanks than YAML and we do.
 */
export function plainCron(expression: string): string {
  return expression.trim().replace(/\s+/g, ' ');
}

/** The controller accepts a day that does not exist, and then waits for it. */
function explainNever([, , days = '*', months = '*', weekDays = '*']: readonly string[]): string | undefined {
  const [, , dayField, monthField] = FIELDS;
  // Days of the week beside days of the month make it run on either.
  if (!dayField || !monthField || !/^[*?]/.test(weekDays)) return undefined;
  const first = Math.min(...days.split(',').map((part) => firstOf(part, dayField)));
  const longest = Math.max(...months.split(',').flatMap((part) => valuesOf(part, monthField).map(daysOf)));
  return first > longest ? 'never comes: no such month has that day' : undefined;
}

function daysOf(month: number): number {
  if (month === 2) return 29;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function firstOf(part: string, field: Field): number {
  return position(part.split(/[-/]/)[0] ?? '', field) ?? field.low;
}

/** All values of a part that is known to be right. */
function valuesOf(part: string, field: Field): number[] {
  const [range = '', step] = part.split('/');
  const [from = '', to] = range.split('-');
  const low = position(from, field);
  const high = to === undefined ? (step === undefined ? low : field.high) : position(to, field);
  const values: number[] = [];
  for (
    let at = low ?? field.low;
    at <= ((low === undefined ? undefined : high) ?? field.high);
    at += Number(step ?? 1)
  )
    values.push(at);
  return values;
}

function explainDescriptor(text: string): string | undefined {
  if (DESCRIPTORS.includes(text)) return undefined;
  if (/^@every (\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  return `unknown descriptor: use one of ${DESCRIPTORS.join(', ')} or five fields`;
}

function explainPart(part: string, field: Field): string | undefined {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0) return 'more than one "/"';
  if (step !== undefined && !/^[1-9]\d*$/.test(step)) return 'the step behind "/" must be a number above 0';
  if (range === '*' || range === '?') return undefined;
  const [from = '', to, ...rest] = range.split('-');
  if (rest.length > 0) return 'more than one "-"';
  const low = position(from, field);
  const high = to === undefined ? low : position(to, field);
  if (low === undefined || high === undefined) {
    if (field.name === 'day of week' && (from === '7' || to === '7')) return 'Sunday is 0, not 7';
    return `must be ${field.low} to ${field.high}${field.names ? ` or ${field.names[0]} to ${field.names.at(-1)}` : ''}`;
  }
  if (low > high) return 'the range runs backwards';
  return undefined;
}

function position(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.low;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= field.low && number <= field.high ? number : undefined;
}
