import type { Settings } from '../config/settings.ts';
import { mayBeGoBinary } from '../gobinary/index.ts';
import { otlpSettings } from '../otel/settings/metrics-settings.ts';
import type { Preparation } from '../programs/preparation/preparation.ts';
import { prepareApart } from '../programs/preparation/prepare-apart.ts';
import type { Executable } from '../target/executable.ts';
import { MappedFiles } from '../target/mapped-files.ts';
import { openImages, openMapped } from './process-images.ts';
import { type OpenedTarget, openTarget } from './target.ts';

/** With its preparation; when that is undefined the observation prepares. */
export interface Prepared extends OpenedTarget {
  readonly preparation: Preparation | undefined;
}

/** Of how many executables is kept what was read, the latest: a sidecar may meet new ones for years. */
const MOST_KNOWN = 32;

/** Opens executables for observation. Processes that run the same file share what was read of it, also when they start together. */
export class Executables {
  readonly #settings: Settings;
  readonly #known = new Map<string, Promise<Omit<Prepared, 'executable'>>>();
  /** By process, until it is forgotten. */
  readonly #files = new Map<number, MappedFiles>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * @param executable belongs to the caller, who closes it when nothing is attached any more
   * @param shown what messages call it, if it cannot be observed
   */
  async open(executable: Executable, shown?: string): Promise<Prepared> {
    const { identity } = executable;
    const known = await this.#known.get(identity)?.catch(() => undefined);
    if (known !== undefined) {
      this.#keep(identity, Promise.resolve(known));
      return { executable, ...known };
    }
    // The sentence of a failure names the process for which the file was opened, so that it is for that one only.
    const prepared = this.#prepare(executable, shown);
    this.#keep(identity, prepared);
    try {
      return { executable, ...(await prepared) };
    } catch (error) {
      this.#known.delete(identity);
      throw error;
    }
  }

  /** The latest is the last. */
  #keep(identity: string, prepared: Promise<Omit<Prepared, 'executable'>>): void {
    this.#known.delete(identity);
    this.#known.set(identity, prepared);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) {
      this.#known.delete(oldest);
    }
  }

  /**
   * Opens all images of Go that a process runs; see `openImages`.
   *
   * @throws UserError when there is none that can be observed
   */
  openImages(pid: number): Promise<[Prepared, ...Prepared[]]> {
    const files = new MappedFiles(pid);
    this.#files.set(pid, files);
    return openImages(pid, (executable, shown) => this.open(executable, shown), files);
  }

  /**
   * Opens the images of Go that a process has mapped since then: plugins, and libraries that it has loaded.
   *
   * @throws UserError when it has ended, or may not be looked at any more
   */
  async openLater(pid: number): Promise<Prepared[]> {
    const files = this.#files.get(pid) ?? new MappedFiles(pid);
    this.#files.set(pid, files);
    return await openMapped(pid, files.settled(), (executable, shown) => this.open(executable, shown));
  }

  /**
   * Opens the images of Go among the files that a process has mapped. Of those that it maps later see `openLater`.
   */
  async openMapped(pid: number, files: MappedFiles): Promise<Prepared[]> {
    this.#files.set(pid, files);
    return await openMapped(pid, files.all(), (executable, shown) => this.open(executable, shown));
  }

  /** Whether a process can map more than it executes. */
  mayMapMore(pid: number): boolean {
    return (this.#files.get(pid) ?? new MappedFiles(pid)).areAny;
  }

  /** For a process that is observed no longer. */
  forget(pid: number): void {
    this.#files.delete(pid);
  }

  async #prepare(executable: Executable, shown: string | undefined): Promise<Omit<Prepared, 'executable'>> {
    // What is no Go program is told soon. Else it is first read where limits are kept: no signal is handled while this one reads.
    const early = mayBeGoBinary(executable.path) ? undefined : openTarget(executable, shown, this.#settings);
    const preparation = await prepareApart(
      executable.descriptor,
      { allowUnknown: this.#settings.allowUnknownGo, traces: mayFollowSpans(this.#settings) },
      shown ?? executable.name,
    );
    return { binary: early ?? openTarget(executable, shown, this.#settings), preparation };
  }
}

/** What messages call several images. */
export function namesOf(images: readonly Prepared[]): string {
  return images.map(({ executable }) => executable.name).join(' and ');
}

/** The settings for each of several images: together they are to cost the process no more than one. */
export function perImage(settings: Settings, images: readonly Prepared[]): Settings {
  return { ...settings, budget: settings.budget / images.length };
}

/** Whether spans will probably be followed. If that turns out later, the observation plans it then. */
function mayFollowSpans({ traceSources, otlpEndpoint, spikes }: Settings): boolean {
  const exported = spikes !== undefined || otlpSettings(otlpEndpoint, () => {}) !== undefined;
  return exported && traceSources.some((source) => source !== 'labels' && source !== 'obi');
}
