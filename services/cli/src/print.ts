/** One of a table's columns: its heading and what stands in it. */
export type Column<Row> = [heading: string, cell: (row: Row) => string | number | boolean | null | undefined];

/** Rows under headings, padded; control characters made visible, so that what others wrote cannot write on the terminal. */
export function table<Row>(columns: Column<Row>[], rows: Row[], next: string | null = null): string {
  if (rows.length === 0) return 'none';
  const cells = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => plain(cell(row))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  const lines = cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
  return [...lines, ...(next === null ? [] : [`more: --after ${next}`])].join('\n');
}

/** Named values, one a line. */
export function facts(entries: [name: string, value: unknown][]): string {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${plain(typeof value === 'object' ? JSON.stringify(value) : (value as string | number | boolean))}`).join('\n');
}

function plain(value: string | number | boolean | null | undefined): string {
  return visible(value === null || value === undefined ? '' : String(value)).replaceAll('\n', '\\n');
}

/** Text of others for a terminal: everything but line ends and tabs that would steer it is written out. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) => (character === '\n' || character === '\t' ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`));
}
