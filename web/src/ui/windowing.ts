/** Which rows of a long list are drawn: those in view, and a few around them. */
export interface Rows {
  count: number;
  rowHeight: number;
  /** How far the top of the list lies above the top of the view; negative when below it. */
  scrolled: number;
  viewHeight: number;
  /** Rows that are drawn beyond either edge. */
  overscan: number;
}

export interface Range {
  /** Index of the first row that is drawn. */
  from: number;
  /** Index behind the last one. */
  to: number;
}

export function drawnRows({ count, rowHeight, scrolled, viewHeight, overscan }: Rows): Range {
  const top = Math.floor(scrolled / rowHeight);
  const bottom = Math.ceil((scrolled + viewHeight) / rowHeight);
  const clamp = (row: number) => Math.min(Math.max(row, 0), count);
  return { from: clamp(top - overscan), to: clamp(bottom + overscan) };
}
