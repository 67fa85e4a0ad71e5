import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { sorted, turn, type Order, type Sortable } from "./sorting.ts";
import "./table.css";

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  /** Makes the column sortable. */
  value?: (row: Row) => Sortable;
  isNumber?: boolean;
  /** Left out on a phone. */
  isMinor?: boolean;
}

interface Props<Row> {
  /** What the table shows; read by screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  foot?: readonly ComponentChildren[];
}

function classOf<Row>(column: Column<Row>): string | undefined {
  const names = [column.isNumber === true && "table-number", column.isMinor === true && "table-minor"].filter(Boolean);
  return names.length > 0 ? names.join(" ") : undefined;
}

/** A table that can be sorted. On a phone each row is a block of named values. */
export function Table<Row>({ label, columns, rows, keyOf, foot }: Props<Row>) {
  const [order, setOrder] = useState<Order | null>(null);
  const by = columns.find((column) => column.head === order?.column)?.value;
  const shown = order !== null && by !== undefined ? sorted(rows, by, order.isDown) : rows;
  const direction = (head: string) => (order?.column !== head ? "none" : order.isDown ? "descending" : "ascending");
  return (
    <div class="scroll-x">
      <table class="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                class={classOf(column)}
                aria-sort={column.value === undefined ? undefined : direction(column.head)}
              >
                {column.value === undefined ? (
                  column.head || <span class="visually-hidden">Actions</span>
                ) : (
                  <button
                    type="button"
                    class="table-sort"
                    onClick={() => setOrder((now) => turn(now, column.head, column.isNumber === true))}
                  >
                    {column.head}
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.head} class={classOf(column)} data-head={column.head}>
                  <span class="table-value">{column.cell(row)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        {foot !== undefined && (
          <tfoot>
            <tr>
              {columns.map((column, i) => (
                <td key={column.head} class={classOf(column)} data-head={column.head}>
                  <span class="table-value">{foot[i] ?? ""}</span>
                </td>
              ))}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
