import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import "./chart.css";
import type { DrawnChart, Series } from "./chart-draw.ts";

interface Props {
  title: string;
  /** Unix times, seconds. */
  at: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  note?: ComponentChildren;
}

/** "30 Nov, 14:05". */
const timeText = (at: number): string =>
  new Date(at * 1000).toLocaleString("en", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });

/** A chart over time with its legend, and the same values as a table. */
export function Chart({ title, at, series, format, note }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<DrawnChart | null>(null);
  const latest = useRef({ at, series, format });
  latest.current = { at, series, format };

  // With the layout: an effect that waits for the next frame may come when the chart has gone, and then nobody cleans up.
  useLayoutEffect(() => {
    let isGone = false;
    void import("./chart-draw.ts").then(({ drawChart }) => {
      if (isGone || place.current === null) return;
      // A place has one drawing, and whoever draws a second one removes the first.
      drawn.current?.remove();
      drawn.current = drawChart(place.current, latest.current);
    });
    return () => {
      isGone = true;
      drawn.current?.remove();
      drawn.current = null;
    };
  }, []);
  useEffect(() => drawn.current?.update(latest.current), [at, series]);

  const filled = at.map((time, i) => ({ time, values: series.map((each) => each.values[i] ?? null) }));
  const rows = filled.filter((row) => row.values.some((value) => value !== null && value !== 0));
  return (
    <figure class="chart">
      <figcaption class="chart-head">
        <h2>{title}</h2>
        <ul class="chart-legend">
          {series.map((each, i) => (
            <li key={each.name} class={`chart-key chart-key-${i + 1}`}>
              {each.name}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="chart-place" ref={place} aria-hidden="true" />
      {note !== undefined && <p class="muted small">{note}</p>}
      <details>
        <summary>As a table</summary>
        {rows.length === 0 ? (
          <p class="muted">Nothing happened in this time.</p>
        ) : (
          <table aria-label={title}>
            <thead>
              <tr>
                <th scope="col">From</th>
                {series.map((each) => (
                  <th key={each.name} scope="col" class="table-number">
                    {each.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.time}>
                  <td>{timeText(row.time)}</td>
                  {row.values.map((value, i) => (
                    <td key={i} class="table-number">
                      {value === null ? "–" : format(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </details>
    </figure>
  );
}
