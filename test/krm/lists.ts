/** Random ResourceLists for property tests: valid, and as odd as the shape that the fast slicer takes may be. */
import fc from 'fast-check';

/** Writes lines that belong at the given column. */
type Lines = (column: number) => string[];

const pad = (column: number) => ' '.repeat(column);
const word = fc.constantFrom(
  'alpha',
  'items',
  'kind',
  'name',
  'metadata',
  'x-y',
  'functionConfig',
  'results',
);
const odd = fc.constantFrom(
  '- x',
  '---',
  '...',
  'items:',
  '# not a comment',
  'kind: Trap',
  '- kind: Trap',
  '{',
  '',
);

const comment: fc.Arbitrary<Lines> = fc.tuple(fc.nat(8), odd).map(([column, text]) => () => [
  `${pad(column)}# ${text}`,
]);
const blank: fc.Arbitrary<Lines> = fc.constant(() => ['']);

const value = fc.constantFrom(
  ...[
    '0644',
    "'on'",
    '12345678901234567890',
    '"a: b"',
    '{a: [1, 2], b: {}}',
    '[]',
    '~',
    '&a 1',
    '!!str 1',
    'a b',
  ],
);

const single = value.map((text): ((key: string) => Lines) => (key) => (column) => [
  `${pad(column)}${key}: ${text}`,
]);

const blockScalar = fc
  .tuple(fc.constantFrom('|', '>', '|-', '|+', '|2-'), fc.array(odd, { minLength: 1, maxLength: 5 }))
  .map(([header, lines]): ((key: string) => Lines) => (key) => (column) => [
    `${pad(column)}${key}: ${header}`,
    `${pad(column + 2)}text`,
    ...lines.map((line) => (line === '' ? '' : `${pad(column + 2)}${line}`)),
  ]);

const quoted = fc
  .tuple(fc.constantFrom('"', "'"), fc.array(odd, { maxLength: 3 }))
  .map(([quote, lines]): ((key: string) => Lines) => (key) => (column) => [
    `${pad(column)}${key}: ${quote}start`,
    ...lines.map((line) => (line === '' ? '' : `${pad(column + 1)}${line}`)),
    `${pad(column + 1)}end${quote} # comment`,
  ]);

const { members } = fc.letrec<{ members: Lines; nested: (key: string) => Lines }>((tie) => ({
  nested: fc.tuple(tie('members'), fc.constantFrom('map', 'flush', 'indented')).map(
    ([inner, form]) =>
      (key: string): Lines =>
      (column) => {
        const head = `${pad(column)}${key}:`;
        if (form === 'map') return [head, ...inner(column + 2)];
        const at = form === 'flush' ? column : column + 2;
        const lines = inner(at + 2);
        return [head, `${pad(at)}- first`, `${pad(at)}-${lines[0]?.slice(at + 1)}`, ...lines.slice(1)];
      },
  ),
  members: fc
    .array(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.tuple(fc.oneof(single, blockScalar, quoted), fc.array(fc.oneof(comment, blank), { maxLength: 1 })),
        fc.tuple(tie('nested'), fc.constant([])),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map(
      (parts) => (column: number) =>
        parts.flatMap(([part, after], index) => [
          ...part(`k${index}`)(column),
          ...after.flatMap((lines) => lines(column)),
        ]),
    ),
}));

const item: fc.Arbitrary<Lines> = fc
  .tuple(word, word, members, fc.boolean(), fc.constantFrom('', ' # head', '  '))
  .map(([kind, name, rest, annotated, head]) => (column) => {
    const inside = column + 2;
    const lines = [
      `${pad(inside)}apiVersion: example.org/v1`,
      `${pad(inside)}kind: ${kind}`,
      `${pad(inside)}metadata:`,
      `${pad(inside + 2)}name: ${name}`,
      ...(annotated ? [`${pad(inside + 2)}annotations:`, `${pad(inside + 4)}a: 'b'`] : []),
      ...rest(inside),
    ];
    if (head !== '') return [`${pad(column)}-${head}`, ...lines];
    return [`${pad(column)}- ${lines[0]?.slice(inside)}`, ...lines.slice(1)];
  });

const functionConfig = members.map(
  (lines): Lines =>
    () => ['functionConfig:', ...lines(2)],
);
const results: Lines = () => ['results:', '- message: old', '  severity: info'];

/** A random ResourceList, and how many items it has. */
export const resourceLists: fc.Arbitrary<{ text: string; count: number }> = fc
  .record({
    column: fc.constantFrom(0, 2, 4),
    items: fc.array(item, { maxLength: 5 }),
    before: fc.array(fc.oneof(comment, blank), { maxLength: 2 }),
    between: fc.array(fc.oneof(comment, blank), { maxLength: 2 }),
    config: fc.option(functionConfig),
    configFirst: fc.boolean(),
    withResults: fc.boolean(),
    endLine: fc.boolean(),
  })
  .map(({ column, items, before, between, config, configFirst, withResults, endLine }) => {
    const lines = [
      ...before.flatMap((part) => part(0)),
      'apiVersion: config.kubernetes.io/v1',
      ...between.flatMap((part) => part(0)),
      'kind: ResourceList',
      ...(config && configFirst ? config(0) : []),
      'items:',
      ...between.flatMap((part) => part(0)),
      ...items.flatMap((part) => part(column)),
      ...(config && !configFirst ? config(0) : []),
      ...(withResults ? results(0) : []),
    ];
    return { text: lines.join('\n') + (endLine ? '\n' : ''), count: items.length };
  });

/** The text of a ResourceList of these items, each given from its `-` on. */
export function listOf(...items: string[]): string {
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
}
