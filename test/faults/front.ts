import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Owner } from '../support/service.ts';

/** What stands between a sender and a receiver does with connections. */
export type Behaviour = 'passes on' | 'is away' | 'takes and never answers';

/** The address that a sender knows: it stays the same whatever becomes of the receiver behind it. */
export class Front {
  #does: Behaviour = 'passes on';
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(to: number) {
    this.#to = to;
  }

  /** @param to port of the receiver */
  static async start(owner: Owner, to: number): Promise<Front> {
    const front = new Front(to);
    await front.#listen();
    owner.after(() => front.#close());
    return front;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** From now on; connections so far are cut. */
  async set(does: Behaviour): Promise<void> {
    this.#does = does;
    await this.#close();
    if (does !== 'is away') {
      await this.#listen();
    }
  }

  async #listen(): Promise<void> {
    this.#server = createServer((socket) => this.#take(socket));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    if (this.#does !== 'passes on') {
      return;
    }
    const onward = this.#keep(connect(this.#to, '127.0.0.1'));
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) {
      const closed = once(server, 'close');
      server.close();
      for (const socket of this.#sockets) {
        socket.destroy();
      }
      await closed;
    }
  }
}
