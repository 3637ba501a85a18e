import { createConnection, type Socket } from 'node:net';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Page, type TargetWatch } from '../../src/page/page.ts';
import { TARGET } from '../model/fixtures.ts';

/** A page that is served, and closed when its owner is done. */
export interface Served {
  readonly page: Page;
  readonly watch: TargetWatch;
  readonly url: URL;
}

export async function serve(
  owner: { after(end: () => Promise<void>): void },
  { ui = '127.0.0.1:0', traceUrl }: { ui?: string; traceUrl?: string } = {},
): Promise<Served> {
  const page = await Page.open({ ui, traceUrl });
  owner.after(() => page.close());
  return { page, watch: page.watch(TARGET, 'windows'), url: new URL(page.url ?? '') };
}

/** Gives a page snapshots with the lookups of a trace among them. */
export function take(watch: TargetWatch, snapshot: Snapshot, traceId?: string): void {
  const [first] = snapshot.callSites;
  const candidates: ExemplarCandidate[] =
    traceId === undefined || first === undefined
      ? []
      : [
          {
            callSite: first.callSite,
            type: first.type,
            hit: first.hit,
            time: snapshot.time - 1n,
            probeLength: 7,
            keyComparisons: 2,
            traceId,
            spanId: '00f067aa0ba902b7',
            sampled: true,
            goroutine: 41,
          },
        ];
  watch.take(snapshot, candidates);
}

/** What came back for what was sent as it is. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends bytes, and waits until the server closes the connection, or for the first byte of a head that says how the answer ends. */
export function raw({ hostname, port }: URL, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) });
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      received += chunk;
    });
    const done = () =>
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0), text: received });
    socket.on('close', done);
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? done() : reject(error),
    );
    socket.end(text);
  });
}

/** A request as text. */
export function request(path: string, headers: Readonly<Record<string, string>>, method = 'GET'): string {
  const lines = Object.entries({ Connection: 'close', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A viewer as a socket, so that it can be as odd as it likes. */
export function viewer({ hostname, port, host }: URL, after = -1): Socket {
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write(request(`/events?id=0&after=${after}`, { Host: host, Connection: 'keep-alive' }));
  return socket;
}
