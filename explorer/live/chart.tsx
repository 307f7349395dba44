/** A line over time. uPlot draws it; this hands it data and its width. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

export type ChartProps = {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** A CSS variable. */
  readonly colour: string;
};

const HEIGHT = 130;

export function Chart({ label, x, y, colour }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const style = getComputedStyle(document.documentElement);
    const quiet = style.getPropertyValue("--quiet");
    const axis = { stroke: quiet, grid: { stroke: style.getPropertyValue("--line"), width: 1 } };
    const drawn = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
        axes: [axis, { ...axis, size: 44 }],
        series: [{}, { label, stroke: style.getPropertyValue(colour), width: 1.5 }],
      },
      [[], []],
      element,
    );
    plot.current = drawn;
    const resize = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      drawn.destroy();
    };
  }, [label, colour]);

  useEffect(() => plot.current?.setData([[...x], [...y]]), [x, y]);
  return <div ref={place} role="img" aria-label={`${label}, now ${y.at(-1) ?? "unknown"}`} />;
}
