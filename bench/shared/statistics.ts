/** What a row of measured times or rates comes down to. */

export interface Summary {
  runs: number;
  median: number;
  min: number;
  max: number;
  /** The middle half of all runs lies between these two. */
  lowerQuartile: number;
  upperQuartile: number;
}

/** The lower one of the two middle values where there is an even number, so that it is a value that was measured. */
export function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}

/** Rounded to four significant digits: more would be a lie, and would make every recording differ everywhere. */
export function summarize(values: readonly number[]): Summary {
  const all = sorted(values);
  const at = (part: number) => rounded(quantile(all, part));
  return {
    runs: all.length,
    median: at(0.5),
    min: at(0),
    max: at(1),
    lowerQuartile: at(0.25),
    upperQuartile: at(0.75),
  };
}

/** The median of the rounds' ratios: both halves of a round met the same machine. */
export function ratioOfRounds(dividends: readonly number[], divisors: readonly number[]): number {
  return median(dividends.map((value, round) => value / (divisors[round] ?? Number.NaN)));
}

export function rounded(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

function quantile(ascending: readonly number[], part: number): number {
  return ascending[Math.floor((ascending.length - 1) * part)] ?? Number.NaN;
}
