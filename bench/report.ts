// What a measurement says, and how it is shown.

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: number;
  readonly better: 'more' | 'less';
  /** What the machine could do without us, in the same unit, measured in the same run. */
  readonly limit?: { readonly name: string; readonly value: number };
  /** Latencies, the generator's share of a core, and the like. */
  readonly remarks?: string;
}

const met = ({ value, target, better }: Figure): boolean =>
  better === 'more' ? value >= target : value <= target;

const shown = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);

export function printTable(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => [
    met(figure) ? 'ok  ' : 'MISS',
    figure.name,
    `${shown(figure.value)} ${figure.unit}`,
    `${figure.better === 'more' ? '≥' : '≤'} ${shown(figure.target)}`,
    figure.limit === undefined ? '' : `${figure.limit.name}: ${shown(figure.limit.value)}`,
    figure.remarks ?? '',
  ]);
  const head = ['', 'figure', 'measured', 'target', 'limit', 'remarks'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
