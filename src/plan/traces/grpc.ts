import type { Structs } from '../../gobinary/index.ts';
import { elementOf, fieldOf, fieldOffset, structNamed } from './fields.ts';
import type { Program } from './go-program.ts';
import { entrySite, INTERFACE, POINTER, RefusedError, type TraceSite } from './site.ts';

const GRPC = 'google.golang.org/grpc';
const TRANSPORT = `${GRPC}/internal/transport`;
const HTTP2 = 'golang.org/x/net/http2';

/**
 * (t *http2Server) operateHeaders(frame *http2.MetaHeadersFrame, handle func(*Stream)) in grpc 1.59, with one function more
 * in 1.58, and (ctx context.Context, frame, handle) from 1.60 to 1.85: called by the goroutine that reads the connection.
 */
const HEADERS = `${TRANSPORT}.(*http2Server).operateHeaders`;
const HEADERS_SIGNATURES = [
  { parameters: [POINTER, POINTER, POINTER, POINTER], values: { transport: 0, frame: 1 } },
  { parameters: [POINTER, POINTER, POINTER], values: { transport: 0, frame: 1 } },
  { parameters: [POINTER, INTERFACE, POINTER, POINTER], values: { transport: 0, frame: 2 } },
];

/**
 * (s *Server) handleStream(t transport.ServerTransport, stream *transport.Stream, trInfo *traceInfo) in grpc 1.58, without
 * trInfo from 1.59, with a *transport.ServerStream from 1.69 to 1.85: called by the goroutine that runs the handler.
 */
const REQUEST = `${GRPC}.(*Server).handleStream`;
const REQUEST_SIGNATURES = [
  { parameters: [POINTER, INTERFACE, POINTER, POINTER], values: { transport: 1, stream: 2 } },
  { parameters: [POINTER, INTERFACE, POINTER], values: { transport: 1, stream: 2 } },
];

/** (t *http2Server) WriteStatus(s *Stream, st *status.Status) up to grpc 1.68, writeStatus(s *ServerStream, ...) from 1.69. */
const STATUS = [`${TRANSPORT}.(*http2Server).WriteStatus`, `${TRANSPORT}.(*http2Server).writeStatus`];
const STATUS_SIGNATURE = { parameters: [POINTER, POINTER, POINTER], values: { transport: 0, stream: 1 } };

export const GRPC_FUNCTIONS: readonly string[] = [HEADERS, REQUEST, ...STATUS];

/** Offsets in bytes. */
export interface GrpcOffsets {
  /** In a frame (http2.MetaHeadersFrame): a pointer to its http2.HeadersFrame. */
  readonly headersFrame: number;
  /** In that: the stream's number, 4 bytes. */
  readonly frameStreamId: number;
  /** In a frame: the slice (pointer, length, capacity) of its header fields, whose names are in lower case. */
  readonly fields: number;
  /** Size of one of them. */
  readonly fieldSize: number;
  /** In one of them: strings (pointer, length). */
  readonly fieldName: number;
  readonly fieldValue: number;
  /** In a stream: the pointer to the structure with the number (grpc 1.69 to 1.76); undefined where the stream has it itself. */
  readonly embeddedStream: number | undefined;
  /** In that structure, or the stream: its number, 4 bytes. */
  readonly streamId: number;
}

/**
 * Requests that google.golang.org/grpc serves over its own transport. (Over net/http, by Server.ServeHTTP, they are net/http's: then
 * `transport` is of another type, and no `grpcHeaders` has come for it.) A request is known by its transport and stream number.
 *
 * - `grpcHeaders`: the header `frame` of a new stream of the *http2Server `transport` was read. Not yet the handler's goroutine.
 * - `grpcRequest`: this goroutine begins to serve `stream` of `transport`: the data word of the interface, so the same *http2Server.
 *   Interceptors and handlers run within. With worker goroutines (grpc.NumStreamWorkers) it may have served others before.
 * - `grpcDone`: the status of `stream` of `transport` is about to be sent, by the goroutine of `grpcRequest` in all of grpc's own calls: the
 *   handler has returned. Does not come where the connection broke before.
 *
 * @returns undefined when the program has no gRPC server
 */
export function planGrpc(program: Program): { sites: TraceSite[]; offsets: GrpcOffsets } | undefined {
  if (!program.has(REQUEST)) {
    return undefined;
  }
  const { binary, structs } = program;
  const [status, another] = STATUS.filter((name) => program.has(name));
  if (status === undefined || another !== undefined) {
    throw new RefusedError(`it has no function that sends the status of a gRPC request, or several`);
  }
  const sites = [
    entrySite(binary, program.function(HEADERS), 'grpcHeaders', ...HEADERS_SIGNATURES),
    entrySite(binary, program.function(REQUEST), 'grpcRequest', ...REQUEST_SIGNATURES),
    entrySite(binary, program.function(status), 'grpcDone', STATUS_SIGNATURE),
  ];
  return { sites, offsets: { ...frameOffsets(structs), ...streamOffsets(structs) } };
}

type FrameOffsets = Omit<GrpcOffsets, 'embeddedStream' | 'streamId'>;

function frameOffsets(structs: Structs): FrameOffsets {
  const frame = structNamed(structs, HTTP2, 'MetaHeadersFrame');
  const headers = elementOf(structs, frame, 'HeadersFrame', 'pointer');
  const start = structNamed(structs, HTTP2, 'FrameHeader');
  const field = elementOf(structs, frame, 'Fields', 'slice');
  return {
    headersFrame: fieldOffset(frame, 'HeadersFrame', { kind: 'pointer' }),
    frameStreamId:
      fieldOffset(headers, 'FrameHeader', { type: start.address }) +
      fieldOffset(start, 'StreamID', { kind: 'uint32' }),
    fields: fieldOffset(frame, 'Fields', { kind: 'slice' }),
    fieldSize: field.size,
    fieldName: fieldOffset(field, 'Name', { kind: 'string' }),
    fieldValue: fieldOffset(field, 'Value', { kind: 'string' }),
  };
}

function streamOffsets(structs: Structs): Pick<GrpcOffsets, 'embeddedStream' | 'streamId'> {
  const id = fieldOffset(structNamed(structs, TRANSPORT, 'Stream'), 'id', { kind: 'uint32' });
  const own = structs.named(TRANSPORT, 'ServerStream');
  if (own === undefined) {
    return { embeddedStream: undefined, streamId: id };
  }
  const embedded = fieldOf(own, 'Stream', {});
  const stream = structNamed(structs, TRANSPORT, 'Stream');
  if (embedded.type === stream.address) {
    return { embeddedStream: undefined, streamId: embedded.offset + id };
  }
  if (elementOf(structs, own, 'Stream', 'pointer').address !== stream.address) {
    throw new RefusedError(`its ${TRANSPORT}.ServerStream has a form that no known version has`);
  }
  return { embeddedStream: embedded.offset, streamId: id };
}
