/** Amounts as Kubernetes writes them, compared: `128Mi`, `0.5`, `500m`, `1e3`. */

const POWERS: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The amount as a number, exact enough to compare; undefined if the text is not an amount. */
export function quantityOf(value: string | number): number | undefined {
  const [, digits, unit = ''] = /^([+\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(String(value)) ?? [];
  const power = unit === '' ? 1 : POWERS[unit];
  const amount = Number(digits);
  return power === undefined || Number.isNaN(amount) ? undefined : amount * power;
}
