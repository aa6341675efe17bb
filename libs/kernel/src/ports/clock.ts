/** Time as the libs see it, so that a spec can stand in for it. */
export abstract class Clock {
  /** Wall clock, in milliseconds since 1970. */
  abstract now(): number;
  /** Steady clock for durations, in milliseconds from an arbitrary start. */
  abstract monotonic(): number;

  /** The machine's own clocks: what is used where no other is provided. */
  static readonly system: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
  };
}
