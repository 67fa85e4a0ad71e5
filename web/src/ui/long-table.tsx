import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { drawnRows, type Range } from "./windowing.ts";
import "./long-table.css";

const OVERSCAN = 12;

export interface LongColumn<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  /** Named in the style sheet of the table, which places the columns. */
  class: string;
}

interface Props<Row> {
  label: string;
  class: string;
  columns: readonly LongColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Whether there are rows behind the last one. */
  hasMore: boolean;
  onRange: (range: Range) => void;
  /** Where the view begins, for a list that one comes back to. */
  scrollTo?: number | undefined;
  onScroll?: (top: number) => void;
}

/** Drawn once, however often the view moves. */
function LongRow<Row>({ row, index, columns }: { row: Row; index: number; columns: readonly LongColumn<Row>[] }) {
  return useMemo(
    () => (
      <div role="row" class="long-row" aria-rowindex={index}>
        {columns.map((column) => (
          <div key={column.class} role="cell" class={column.class}>
            {column.cell(row)}
          </div>
        ))}
      </div>
    ),
    [row, index, columns],
  );
}

/**
 * A table of any length that scrolls with the page and draws what is in view. Rows have one height,
 * the style sheet's --long-row, so that no row needs to be measured.
 */
export function LongTable<Row>(props: Props<Row>) {
  const { columns, rows, keyOf } = props;
  const body = useRef<HTMLDivElement>(null);
  const [{ range, height }, setView] = useState({ range: { from: 0, to: 30 }, height: 44 });
  const rowHeight = useRef<number | null>(null);
  const latest = useRef(props);
  latest.current = props;

  const look = () => {
    const element = body.current;
    if (element === null) return;
    rowHeight.current ??= parseFloat(getComputedStyle(element).getPropertyValue("--long-row")) || 44;
    const height = rowHeight.current;
    const next = drawnRows({
      count: latest.current.rows.length,
      rowHeight: height,
      scrolled: -element.getBoundingClientRect().top,
      viewHeight: window.innerHeight,
      overscan: OVERSCAN,
    });
    setView((now) => {
      const isSame = now.range.from === next.from && now.range.to === next.to && now.height === height;
      return isSame ? now : { range: next, height };
    });
    latest.current.onRange(next);
  };

  useLayoutEffect(look, [rows]);
  useLayoutEffect(() => {
    if (props.scrollTo !== undefined) window.scrollTo(0, props.scrollTo);
  }, []);
  useEffect(() => {
    let frame = 0;
    const soon = () => {
      latest.current.onScroll?.(window.scrollY);
      if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          look();
        });
      }
    };
    window.addEventListener("scroll", soon, { passive: true });
    const resized = () => {
      rowHeight.current = null;
      soon();
    };
    window.addEventListener("resize", resized);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", soon);
      window.removeEventListener("resize", resized);
    };
  }, []);

  const drawn = rows.slice(range.from, range.to);
  return (
    <div
      class={`long-table ${props.class}`}
      role="table"
      aria-label={props.label}
      aria-rowcount={props.hasMore ? -1 : rows.length + 1}
    >
      <div role="rowgroup" class="long-head">
        <div role="row" class="long-row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.class} role="columnheader" class={column.class}>
              {column.head}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} style={{ height: `${rows.length * height}px` }}>
        <div role="presentation" style={{ transform: `translateY(${range.from * height}px)` }}>
          {drawn.map((row, i) => (
            <LongRow key={keyOf(row)} row={row} index={range.from + i + 2} columns={columns} />
          ))}
        </div>
      </div>
    </div>
  );
}
