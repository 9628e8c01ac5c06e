export interface OpenPgpRecipients {
  kind: 'openpgp';
}
export interface OpenPgpIdentities {
  kind: 'openpgp';
}
export async function readOpenPgpRecipients(
  _materials: readonly Buffer[],
  _select: readonly string[],
): Promise<OpenPgpRecipients> {
  throw new Error('to come');
}
export async function readOpenPgpIdentities(
  _materials: readonly Buffer[],
  _passphrase?: string,
): Promise<OpenPgpIdentities> {
  throw new Error('to come');
}
