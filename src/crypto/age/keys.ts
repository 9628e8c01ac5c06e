export interface AgeRecipients {
  kind: 'age';
  values: readonly string[];
}
export interface AgeIdentities {
  kind: 'age';
  values: readonly string[];
}
export function readAgeRecipients(_texts: readonly string[]): AgeRecipients {
  throw new Error('to come');
}
export function readAgeIdentities(_texts: readonly string[]): AgeIdentities {
  throw new Error('to come');
}
