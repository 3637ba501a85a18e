/** Node counts a timer's milliseconds in 31 bits, and fires a longer one at once. */
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1;

/** A signal that is aborted after some milliseconds, however many these are. It does not keep the process alive. */
export function timeLimit(millis: number): AbortSignal {
  const controller = new AbortController();
  const end = performance.now() + millis;
  const wait = () => {
    const left = Math.ceil(end - performance.now());
    if (left > 0) {
      setTimeout(wait, Math.min(left, LONGEST_TIMER_MILLIS)).unref();
    } else {
      controller.abort();
    }
  };
  wait();
  return controller.signal;
}

/** A signal that aborts as soon as the promise is settled. */
export function aborted(settled: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  settled.then(abort, abort);
  return controller.signal;
}
