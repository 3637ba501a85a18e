import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import type { IntervalEvent, NowDocument, StateDocument, TargetDocument } from '../format/document.ts';
import { type Address, DEFAULT_ADDRESS, inUrl, isLoopback } from './address.ts';
import type { Assets } from './assets.ts';
import { COOKIE, type GuardOptions, refusal, SAFE_HEADERS } from './guard.ts';
import { eventText, Viewers } from './viewers.ts';

/** What the server shows. */
export interface PageSource {
  state(): StateDocument;
  /** Undefined when there is no such target. */
  target(id: number): TargetDocument | undefined;
  /** What is new since an interval; undefined when the whole history has to be fetched anew. */
  since(id: number, newest: number): IntervalEvent[] | undefined;
  now(id: number): NowDocument | null;
  /** The page in one file. */
  file(): string;
}

export interface ServerOptions {
  /** Undefined: the default one, or any other on loopback when that is taken. */
  readonly address: Address | undefined;
  /** Asked for anywhere but on loopback. */
  readonly token: string;
  readonly source: PageSource;
  readonly assets: Assets;
}

/** Connections at the same time, at most; others are closed at once. */
const MOST_CONNECTIONS = 128;
/** Large answers under way at the same time, at most. */
const MOST_LARGE = 4;
const REQUEST_MILLIS = 10_000;
/** A connection on which nothing moves for so long is closed, unless it is a viewer's. */
const IDLE_MILLIS = 30_000;
const LONGEST_URL = 2_048;

const COMPRESSED = promisify(gzip);

/** Serves the page to browsers: a fixed list of addresses, nothing of the file system. */
export class PageServer {
  readonly viewers = new Viewers();
  readonly #server: Server;
  readonly #options: ServerOptions;
  readonly #guard: GuardOptions;
  readonly #fixed: ReadonlyMap<string, { type: string; body: Buffer; packed: Buffer }>;
  #large = 0;

  private constructor(options: ServerOptions, host: string) {
    const token = isLoopback(host) ? undefined : options.token;
    this.#options = options;
    this.#guard = { host, machine: hostname(), token };
    const { html, script, style } = options.assets;
    this.#fixed = new Map(
      [
        { path: '/', type: 'text/html; charset=utf-8', text: html },
        { path: '/main.js', type: 'text/javascript; charset=utf-8', text: script },
        { path: '/style.css', type: 'text/css; charset=utf-8', text: style },
      ].map(({ path, type, text }) => [path, { type, body: Buffer.from(text), packed: gzipSync(text) }]),
    );
    this.#server = createServer(
      {
        headersTimeout: REQUEST_MILLIS,
        requestTimeout: REQUEST_MILLIS,
        keepAliveTimeout: 5_000,
        maxHeaderSize: 8_192,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.setTimeout(IDLE_MILLIS);
    // What is no HTTP gets no answer.
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /**
   * Listens. It does not keep the process alive.
   *
   * @throws UserError when the address cannot be listened on
   */
  static async listen(options: ServerOptions): Promise<PageServer> {
    const wanted = options.address ?? DEFAULT_ADDRESS;
    const server = new PageServer(options, wanted.host);
    try {
      await server.#listen(wanted);
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || options.address !== undefined) {
        const where = `${inUrl(wanted.host)}:${wanted.port}`;
        throw new UserError(`The page cannot be served on ${where}: ${messageOf(error)}.`, EXIT.usage);
      }
      await server.#listen({ ...wanted, port: 0 });
    }
    server.#server.unref();
    return server;
  }

  async #listen({ host, port }: Address): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  /** What to open in a browser, with the token where one is asked for. */
  get url(): string {
    const { host, token, machine } = this.#guard;
    const { port } = this.#server.address() as AddressInfo;
    const name = host === '0.0.0.0' || host === '::' ? machine : host;
    return `http://${inUrl(name)}:${port}/${token === undefined ? '' : `?token=${token}`}`;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.viewers.close();
    const closed = once(this.#server, 'close');
    this.#server.close();
    // Those that still read get a moment for it.
    setTimeout(() => this.#server.closeAllConnections(), 200).unref();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    try {
      const url = urlOf(request);
      if (url === undefined) {
        refuse(response, 400, 'The request cannot be read.');
        return;
      }
      const problem = refusal({ method: request.method, headers: request.headers, url }, this.#guard);
      if (problem !== undefined) {
        refuse(response, problem.status, problem.reason);
        return;
      }
      await this.#route(url, request, response);
    } catch {
      // An odd request, or one whose client is gone, is nobody else's business.
      response.destroy();
    }
  }

  async #route(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { source } = this.#options;
    const id = Number(url.searchParams.get('id'));
    if (url.pathname === '/' && url.searchParams.has('token')) {
      this.#welcome(response);
      return;
    }
    switch (url.pathname) {
      case '/state.json':
        return await this.#sendLarge(request, response, JSON_TYPE, () => JSON.stringify(source.state()));
      case '/target.json':
        return await this.#sendLarge(request, response, JSON_TYPE, () => {
          const target = source.target(id);
          return target && JSON.stringify(target);
        });
      case '/report.html':
        response.setHeader('Content-Disposition', 'attachment; filename="mapscope.html"');
        return await this.#sendLarge(request, response, 'text/html; charset=utf-8', () => source.file());
      case '/events':
        return this.#watch(request, response, id, Number(url.searchParams.get('after') ?? -1));
      default:
        return this.#file(url.pathname, request, response);
    }
  }

  /** The token moves from the address into a cookie: addresses are copied, and stand in histories. */
  #welcome(response: ServerResponse): void {
    const { token } = this.#guard;
    const cookie =
      token === undefined ? {} : { 'Set-Cookie': `${COOKIE}=${token}; HttpOnly; SameSite=Strict` };
    response.writeHead(302, { ...SAFE_HEADERS, ...cookie, Location: './' }).end();
  }

  #file(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.#fixed.get(path);
    if (file === undefined) {
      refuse(response, 404, 'There is nothing here.');
      return;
    }
    const packed = acceptsGzip(request);
    response.writeHead(200, {
      ...SAFE_HEADERS,
      'Content-Type': file.type,
      ...(packed && { 'Content-Encoding': 'gzip' }),
      Vary: 'Accept-Encoding',
      'Content-Length': (packed ? file.packed : file.body).length,
    });
    response.end(request.method === 'HEAD' ? undefined : packed ? file.packed : file.body);
  }

  /** What takes work and memory: only a few at a time. */
  async #sendLarge(
    request: IncomingMessage,
    response: ServerResponse,
    type: string,
    make: () => string | undefined,
  ): Promise<void> {
    if (this.#large >= MOST_LARGE) {
      response.setHeader('Retry-After', '1');
      refuse(response, 503, 'There are too many requests at once: try again in a second.');
      return;
    }
    this.#large++;
    response.once('close', () => this.#large--);
    const text = make();
    if (text === undefined) {
      refuse(response, 404, 'There is no such target.');
      return;
    }
    const packed = acceptsGzip(request);
    const body = packed ? await COMPRESSED(text, { level: 1 }) : Buffer.from(text);
    response.writeHead(200, {
      ...SAFE_HEADERS,
      'Content-Type': type,
      ...(packed && { 'Content-Encoding': 'gzip' }),
      'Content-Length': body.length,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #watch(request: IncomingMessage, response: ServerResponse, id: number, after: number): void {
    const { source } = this.#options;
    if (!this.viewers.hasRoom) {
      response.setHeader('Retry-After', '10');
      refuse(response, 503, 'Too many pages are open.');
      return;
    }
    // A viewer may be silent for as long as it likes.
    request.socket.setTimeout(0);
    response.writeHead(200, {
      ...SAFE_HEADERS,
      'Content-Type': 'text/event-stream',
      // Proxies are asked not to keep events back.
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const missed = source.since(id, after);
    this.viewers.add(response, id);
    response.write('retry: 1000\n\n');
    if (missed === undefined) {
      response.write(eventText('restart', {}));
    } else {
      response.write(missed.map((event) => eventText('interval', event)).join(''));
    }
    response.write(eventText('state', source.state()));
    response.write(eventText('now', source.now(id)));
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Undefined when it is no path of this server: none has dots or double slashes to be resolved. */
function urlOf({ url = '' }: IncomingMessage): URL | undefined {
  const isPath = url.startsWith('/') && !url.startsWith('//') && url.length <= LONGEST_URL;
  const parsed = isPath && URL.canParse(url, 'http://host') ? new URL(url, 'http://host') : undefined;
  return parsed?.pathname === url.split('?')[0] ? parsed : undefined;
}

function acceptsGzip({ headers }: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...SAFE_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${reason}\n`);
}
