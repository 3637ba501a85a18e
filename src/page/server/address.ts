// Imports nothing: the command line checks with it what is typed.

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** A port that is free on most machines. When it is not, and nobody asked for it, another one is taken. */
export const DEFAULT_ADDRESS: Address = { host: '127.0.0.1', port: 7274 };

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or a port alone, which is one of loopback; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] =
    /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    return undefined;
  }
  return { host: bracketed ?? plain ?? DEFAULT_ADDRESS.host, port };
}

/** Whether only programs of this machine reach it. What is not known to be so is not. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A host as it stands in a URL. */
export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
