export function renderProcedureDocs(_p: unknown): string {
  return '';
}
