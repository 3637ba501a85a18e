import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from './address.ts';

/** Who may see the page. */
export interface GuardOptions {
  /** The host that mapscope listens on, as it was given. */
  readonly host: string;
  /** This machine's own name. */
  readonly machine: string;
  /** What a visitor has to know; undefined on loopback only. */
  readonly token: string | undefined;
}

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 401 | 403 | 405 | 421;
  readonly reason: string;
}

/** Name of the cookie that holds the token after the first visit. */
export const COOKIE = 'mapscope_token';

/**
 * What must be true of any request, before anything else is looked at. A page of another site can have a browser send requests
 * here, also under a name that its owner makes lead to this machine (DNS rebinding): its name, or its origin, gives it away.
 *
 * @param url only its query is looked at
 */
export function refusal(
  { method, headers, url }: { method?: string | undefined; headers: IncomingHttpHeaders; url: URL },
  options: GuardOptions,
): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, reason: 'Only GET and HEAD are answered.' };
  }
  const host = hostOf(headers.host);
  if (host === undefined || !isOwnName(host, options)) {
    return { status: 421, reason: 'This is not the host that the request names.' };
  }
  if (!isSameOrigin(headers)) {
    return { status: 403, reason: 'Requests of other sites are not answered.' };
  }
  if (options.token !== undefined && !isKnown(headers, url, options.token)) {
    return { status: 401, reason: 'Open the address that mapscope has printed: it holds the token.' };
  }
  return undefined;
}

/** Without its port; undefined when there is none or it is none. */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** Names that nobody else can make lead here: addresses, `localhost`, the one that mapscope was told, that of the machine. */
function isOwnName(host: string, { host: given, machine, token }: GuardOptions): boolean {
  if (isLoopback(host) || host === given.toLowerCase()) {
    return true;
  }
  return token !== undefined && (isIP(host) !== 0 || host === machine.toLowerCase());
}

function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return false;
  }
  // A link that somebody follows is fine (`none`, and `cross-site` from a chat); a picture or a script of another site is not.
  const isVisit = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return site === undefined || site === 'same-origin' || site === 'none' || isVisit;
}

function isKnown(headers: IncomingHttpHeaders, url: URL, token: string): boolean {
  const [, bearer] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const cookies = (headers.cookie ?? '').split(/;\s*/).map((cookie) => cookie.split('='));
  const cookie = cookies.find(([name]) => name === COOKIE)?.[1];
  return [bearer, cookie, url.searchParams.get('token')].some(
    (given) => typeof given === 'string' && isEqual(given, token),
  );
}

/** In a time that says nothing about where they differ. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of every answer: nothing of another host is loaded, nothing is kept, nobody puts the page into a frame. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};
