/*
 * Colours of pictures. Those of heat grow darker (on white) or brighter (on black) with the value, all the way, so that they
 * are told apart without telling hues apart.
 */

type Rgb = readonly [number, number, number];

const RAMPS: Readonly<Record<'light' | 'dark', readonly Rgb[]>> = {
  light: [
    [226, 236, 250],
    [176, 203, 240],
    [116, 159, 222],
    [74, 108, 196],
    [72, 62, 158],
    [62, 24, 104],
    [33, 8, 52],
  ],
  dark: [
    [26, 40, 72],
    [30, 72, 128],
    [28, 112, 150],
    [32, 152, 146],
    [88, 190, 118],
    [178, 219, 84],
    [253, 240, 146],
  ],
};

/** Steps of the ramp. */
const STEPS = 256;

/** Colours of the page as canvases need them. */
export interface Palette {
  readonly name: 'light' | 'dark';
  /** 256 colours of heat, as pixels (ABGR). */
  readonly heat: Uint32Array;
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  readonly panel: string;
  readonly accent: string;
  readonly band: string;
  readonly warm: string;
  readonly hatch: string;
  readonly baseline: string;
}

/** The palette that the page has now. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const name = style.getPropertyValue('--scheme').trim() === 'dark' ? 'dark' : 'light';
  const color = (variable: string) => style.getPropertyValue(variable).trim();
  return {
    name,
    heat: heatOf(RAMPS[name]),
    text: color('--text'),
    faint: color('--faint'),
    grid: color('--grid'),
    panel: color('--panel'),
    accent: color('--accent'),
    band: color('--band'),
    warm: color('--warm'),
    hatch: color('--hatch'),
    baseline: color('--baseline'),
  };
}

function heatOf(ramp: readonly Rgb[]): Uint32Array {
  return Uint32Array.from({ length: STEPS }, (_, i) => {
    const at = (i / (STEPS - 1)) * (ramp.length - 1);
    const low = Math.floor(at);
    const a = ramp[low] as Rgb;
    const b = ramp[Math.min(low + 1, ramp.length - 1)] as Rgb;
    const mix = (channel: 0 | 1 | 2) => Math.round(a[channel] + (b[channel] - a[channel]) * (at - low));
    return ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
  });
}

/** Values from the smallest to the largest as steps of the ramp: equal factors are equal steps. */
export class HeatScale {
  readonly least: number;
  readonly most: number;
  readonly #factor: number;

  constructor(least: number, most: number) {
    this.least = Math.max(least, most / 1e6);
    this.most = most;
    this.#factor = (STEPS - 1) / Math.max(1e-9, Math.log(most / this.least));
  }

  step(value: number): number {
    return Math.max(0, Math.min(STEPS - 1, Math.round(Math.log(value / this.least) * this.#factor)));
  }
}
