/** Passes values on at most ten times a second, and then the latest: whoever reports may do so as often as they like. */
export function sparingly<T>(pass: (value: T) => void, everyMs = 100): { offer: (value: T) => void; stop: () => void } {
  let waiting: { value: T } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const passOn = () => {
    if (waiting) pass(waiting.value);
    timer = waiting && setTimeout(passOn, everyMs);
    waiting = undefined;
  };

  return {
    offer(value) {
      if (isStopped) return;
      waiting = { value };
      if (!timer) passOn();
    },
    /** The last value is passed on; later ones are not. */
    stop() {
      isStopped = true;
      clearTimeout(timer);
      timer = undefined;
      if (waiting) pass(waiting.value);
    },
  };
}
