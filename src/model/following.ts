/** What became of following spans, so far. */
export interface Following {
  /** Where spans are followed: `sdk`, `http`, `grpc`; `goroutines` are followed with them. */
  sources: readonly string[];
  /** Sources that the target has and that cannot be followed, with the reason in words. */
  refused: readonly { source: string; reason: string }[];
  /** Hits of the probes that follow spans, by what they see (`spanStart`, `goroutineStart`, ...). */
  events: Readonly<Record<string, number>>;
  /**
   * Events that came to nothing, by reason: `unreadable` memory of the target; `no_room` in the kernel; `unknown_span`, the
   * end of one whose begin was not seen, which is usual for those that had begun before.
   */
  lost: Readonly<Record<string, number>>;
}
