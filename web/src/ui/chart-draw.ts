/** Draws a chart with uPlot; loaded when a chart is first shown. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Series {
  name: string;
  values: readonly (number | null)[];
  isBars?: boolean;
}

export interface Drawing {
  at: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
}

export interface DrawnChart {
  update: (drawing: Drawing) => void;
  remove: () => void;
}

const HEIGHT_PX = 220;

/** The colour that a token has now, as a canvas takes it. */
function colorOf(place: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The time of a tick; the day where a day begins. */
function tickText(at: number, step: number): string {
  const time = new Date(at * 1000);
  const isDay = step >= 86_400 || (time.getHours() === 0 && time.getMinutes() === 0);
  return isDay
    ? time.toLocaleDateString("en", { day: "numeric", month: "short" })
    : time.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
}

function optionsOf(place: HTMLElement, { series, format }: Drawing): uPlot.Options {
  const [muted, line] = [colorOf(place, "--muted"), colorOf(place, "--line")];
  const font = `12px ${getComputedStyle(place).fontFamily}`;
  const axis: uPlot.Axis = { stroke: muted, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars?.({ size: [0.8, 24] });
  return {
    width: place.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    padding: [8, 24, 0, 0],
    axes: [{ ...axis, size: 28, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => format(tick)) }],
    series: [
      {},
      ...series.map((each, i): uPlot.Series => {
        const color = colorOf(place, `--series-${i + 1}`);
        return each.isBars === true && bars !== undefined
          ? { stroke: color, fill: color, width: 0, paths: bars, points: { show: false } }
          : { stroke: color, width: 2, spanGaps: false, points: { show: true, size: 5, fill: color } };
      }),
    ],
  };
}

const dataOf = ({ at, series }: Drawing): uPlot.AlignedData => [[...at], ...series.map((each) => [...each.values])];

export function drawChart(place: HTMLElement, first: Drawing): DrawnChart {
  let drawing = first;
  let plot = new uPlot(optionsOf(place, drawing), dataOf(drawing), place);
  const again = () => {
    plot.destroy();
    plot = new uPlot(optionsOf(place, drawing), dataOf(drawing), place);
  };
  const size = new ResizeObserver(() => {
    if (place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: HEIGHT_PX });
  });
  size.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", again);
  const theme = new MutationObserver(again);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return {
    update: (next) => {
      const isSameKind = next.series.length === drawing.series.length;
      drawing = next;
      if (isSameKind) plot.setData(dataOf(drawing));
      else again();
    },
    remove: () => {
      size.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", again);
      plot.destroy();
    },
  };
}
