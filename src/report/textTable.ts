/** What a cell of a table may hold; numbers are set flush right. */
export type Cell = string | number | undefined;

/**
 * A plain text table for terminals: a header, a rule, rows. A column of numbers is set flush right.
 * @param head  column names
 * @param rows  cells; missing ones are empty
 */
export function textTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const columns = head.map((_, c) => rows.map((row) => row[c]));
  const numeric = columns.map((cells) => cells.some((v) => typeof v === 'number') && cells.every(isNumberOrEmpty));
  const lines = [head, ...rows.map((row) => head.map((_, c) => String(row[c] ?? '')))];
  const widths = head.map((_, c) => Math.max(...lines.map((line) => [...line[c]].length)));
  const print = (line: readonly string[]) =>
    line
      .map((cell, c) => {
        const padding = ' '.repeat(widths[c] - [...cell].length);
        return numeric[c] ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [print(lines[0]), rule, ...lines.slice(1).map(print)].join('\n');
}

function isNumberOrEmpty(cell: Cell): boolean {
  return cell === undefined || cell === '' || typeof cell === 'number';
}
