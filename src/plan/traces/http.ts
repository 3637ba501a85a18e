import type { MapType } from '../../gobinary/index.ts';
import { fieldOf, structNamed } from './fields.ts';
import type { Program } from './go-program.ts';
import { entrySite, INTERFACE, POINTER, RefusedError, type Signature, type TraceSite } from './site.ts';

/** A site of net/http. */
export interface HttpSite extends TraceSite {
  /** At `httpRequest`: where, in what `request` points to, the pointer to the map of headers is, in bytes. */
  readonly header: number | undefined;
}

export interface HttpPlan {
  readonly sites: readonly HttpSite[];
  /**
   * The type of the map of headers, map[string][]string: where its buckets or groups keep keys and elements. Keys are canonical:
   * `Traceparent`. An element is a slice header (pointer, length, capacity) of string headers (pointer, length).
   */
  readonly headers: MapType;
}

/** One way into a handler, and what it has for a request. */
interface Way {
  readonly name: string;
  readonly signature: Signature;
  /** Package and name of the structure that `request` points to. */
  readonly request: readonly [path: string, name: string];
}

/**
 * serverHandler{server}.ServeHTTP(rw ResponseWriter, req *Request): every request of an http.Server passes here, over
 * HTTP/1 and the HTTP/2 of net/http, on the goroutine that runs the handler (src/net/http/server.go, Go 1.17 to 1.27).
 */
const SERVER: Way = {
  name: 'net/http.serverHandler.ServeHTTP',
  signature: { parameters: [POINTER, INTERFACE, POINTER], values: { request: 2 } },
  request: ['net/http', 'Request'],
};

/**
 * (sc *serverConn) runHandler(rw *responseWriter, req *http.Request, handler func(...)): what serves a request on the
 * goroutine made for it. Handlers of http2.Server.ServeConn, and with it of h2c, do not pass through a serverHandler
 * (golang.org/x/net 0.17 to 0.62).
 */
const X_NET: Way = {
  name: 'golang.org/x/net/http2.(*serverConn).runHandler',
  signature: { parameters: [POINTER, POINTER, POINTER, POINTER], values: { request: 2 } },
  request: ['net/http', 'Request'],
};

/**
 * The same function in net/http of Go 1.27, whose requests are of another type. Newer golang.org/x/net built with Go 1.27 serves
 * ServeConn and h2c with it; without them all its requests pass through the serverHandler too, and one site is enough.
 */
const INTERNAL: Way = {
  name: 'net/http/internal/http2.(*serverConn).runHandler',
  signature: X_NET.signature,
  request: ['net/http/internal/http2', 'ServerRequest'],
};
const X_NET_SERVE = [
  'golang.org/x/net/http2.(*Server).ServeConn',
  'golang.org/x/net/http2.(*Server).serveConn',
];

/** Methods that are called when a handler has returned, on its goroutine. */
const DONE = [
  'net/http.(*response).finishRequest',
  'net/http.(*http2responseWriter).handlerDone',
  'net/http/internal/http2.(*responseWriter).handlerDone',
  'golang.org/x/net/http2.(*responseWriter).handlerDone',
];

export const HTTP_FUNCTIONS: readonly string[] = [SERVER.name, X_NET.name, INTERNAL.name, ...DONE];

/**
 * Requests that net/http and golang.org/x/net/http2 serve.
 *
 * - `httpRequest`: `request` is the request that the goroutine is about to hand to its handler; `header` of the site says where
 *   its headers are. One request may come by two sites, on one goroutine.
 * - `httpDone`: the goroutine has returned from its handler. Where a handler panicked or took over the connection (Hijack) this
 *   does not come, but then the goroutine ends. It also comes for a request that is refused before any handler (Expect).
 *
 * @returns undefined when the program has no HTTP server
 */
export function planHttp(program: Program): HttpPlan | undefined {
  const ways = waysOf(program);
  if (ways.length === 0) {
    return undefined;
  }
  const { binary, structs } = program;
  const headers = new Set<string>();
  let type: MapType | undefined;
  const begun = ways.map(({ name, signature, request }): HttpSite => {
    const field = fieldOf(structNamed(structs, ...request), 'Header', { kind: 'map' });
    type = binary.mapTypeAt(field.type);
    headers.add(JSON.stringify(type === undefined ? undefined : slotsOf(type)));
    const site = entrySite(binary, program.function(name), 'httpRequest', signature);
    return { ...site, header: field.offset };
  });
  if (type === undefined || headers.size !== 1) {
    throw new RefusedError('its header maps have a type that no known version has');
  }
  const ended = DONE.filter((name) => program.has(name)).map((name): HttpSite => {
    const signature = { parameters: [POINTER], values: {} };
    return { ...entrySite(binary, program.function(name), 'httpDone', signature), header: undefined };
  });
  return { sites: [...begun, ...ended], headers: type };
}

function waysOf(program: Program): Way[] {
  const wrapped = X_NET_SERVE.some((name) => program.has(name)) && !program.has(X_NET.name);
  return [SERVER, X_NET, ...(wrapped ? [INTERNAL] : [])].filter(({ name }) => program.has(name));
}

/** What must agree so that maps of two types can be read in the same way. */
function slotsOf({ keyName, elemName, ...type }: MapType): unknown {
  const { keysOffset, keyStride, elemsOffset, elemStride, groupSize, indirectKey, indirectElem } = type;
  const names = [keyName, elemName];
  return { names, keysOffset, keyStride, elemsOffset, elemStride, groupSize, indirectKey, indirectElem };
}
