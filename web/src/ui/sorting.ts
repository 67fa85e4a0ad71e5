/** The order of the rows of a table. */
export type Sortable = number | string | null;

export interface Order {
  column: string;
  isDown: boolean;
}

/** What a press on a column's head changes: a new column begins with its largest or first, then it turns. */
export function turn(order: Order | null, column: string, isNumber: boolean): Order {
  if (order?.column !== column) return { column, isDown: isNumber };
  return { column, isDown: !order.isDown };
}

/** The rows by a value of theirs; equal ones keep their order, and rows without a value come last. */
export function sorted<Row>(rows: readonly Row[], valueOf: (row: Row) => Sortable, isDown: boolean): readonly Row[] {
  const sign = isDown ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}
