import type { Environment } from './environment.ts';
import type { SoakSecond } from './soak.ts';

const WIDTH = 900;
const LEFT = 70;
const RIGHT = 34;
/** Top and height of the two panels. */
const CPU = { top: 70, height: 130 };
const COST = { top: 250, height: 170 };
const HEIGHT = 460;
/** Seconds that one point of the cost stands for. */
const BIN = 5;
/** The CPU panel goes from a thousandth of a CPU to four. */
const [LEAST_CPU, MOST_CPU] = [0.001, 4];

/** The trace of a soak as an SVG: above how busy the target was, below what observation cost it, of what it may cost. */
export function soakPlot(seconds: readonly SoakSecond[], budget: number, machine: Environment): string {
  const end = seconds.at(-1)?.at ?? 1;
  const x = (at: number) => LEFT + (at / end) * (WIDTH - LEFT - RIGHT);
  const cpuY = (value: number) => {
    const part = Math.log(Math.max(value, LEAST_CPU) / LEAST_CPU) / Math.log(MOST_CPU / LEAST_CPU);
    return CPU.top + CPU.height * (1 - part);
  };
  const bins = binned(seconds);
  const most = Math.max(1.5, ...bins.map(({ part }) => Math.min(part, 4)));
  const costY = (part: number) => COST.top + COST.height * (1 - Math.min(part, most) / most);
  const percent = 100 * budget;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="What observation may cost and costs a web service, over time" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 20, `A web service under load steps, observed within ${percent} % of its CPU`, 15),
    text(
      LEFT,
      38,
      `${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, ${machine.date}; grey: starved of CPU`,
    ),
    ...seconds
      .filter(({ starved }) => starved)
      .map(({ at, seconds: length }) =>
        rect(x(at - length), CPU.top, x(at) - x(at - length), COST.top + COST.height - CPU.top),
      ),
    ...[0.001, 0.01, 0.1, 1].map((value) => grid(cpuY(value), `${value}`)),
    text(8, CPU.top - 6, 'CPUs used by the service'),
    path(
      seconds.map(({ at, cpuSeconds, seconds: length }) => [x(at), cpuY(cpuSeconds / length)]),
      '#3367aa',
    ),
    ...[0, 0.5, 1].map((part) => grid(costY(part), `${Math.round(100 * part)} %`)),
    text(8, COST.top - 6, `Cost of observation, as a share of what the budget allows (mean of ${BIN} s)`),
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${costY(1)}" y2="${costY(1)}" stroke="#bb3322" stroke-width="1.5"/>`,
    path(
      bins.map(({ at, part }) => [x(at), costY(part)]),
      '#228844',
    ),
    ...Array.from({ length: 7 }, (_, i) => (i * end) / 6).map((at) =>
      text(x(at) - 12, HEIGHT - 16, `${Math.round(at / 60)} min`),
    ),
    '</svg>\n',
  ].join('\n');
}

function binned(seconds: readonly SoakSecond[]): { at: number; part: number }[] {
  const bins = new Map<number, { cost: number; allowed: number }>();
  for (const { at, costSeconds, allowedSeconds } of seconds) {
    const bin = Math.floor(at / BIN);
    const sum = bins.get(bin) ?? { cost: 0, allowed: 0 };
    bins.set(bin, { cost: sum.cost + costSeconds, allowed: sum.allowed + allowedSeconds });
  }
  return [...bins].map(([bin, { cost, allowed }]) => ({ at: (bin + 0.5) * BIN, part: cost / allowed }));
}

function text(x: number, y: number, words: string, size = 12): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="#333">${escaped}</text>`;
}

function rect(x: number, y: number, width: number, height: number): string {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${(width + 0.3).toFixed(1)}" height="${height}" fill="#eee"/>`;
}

function grid(y: number, label: string): string {
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="#ddd"/>${text(28, y + 4, label)}`;
}

function path(points: readonly (readonly [number, number])[], color: string): string {
  const line = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
  return `<path d="${line}" fill="none" stroke="${color}" stroke-width="1.2"/>`;
}
