import { levelValues } from '../levels.js';
import type { LimitsConfig } from './limits.config.js';

/** Messages are told apart up to this number per window. */
const maxKinds = 2_000;

interface Kind {
  passed: number;
  suppressed: number;
}

/** Holds noisy lines back: by share, and by number per window. */
export class LineLimiter {
  private kinds = new Map<string, Kind>();
  /** What earlier windows held back and no line has told yet. */
  private untold = new Map<string, number>();
  private windowEnds = 0;

  constructor(
    private readonly config: LimitsConfig,
    private readonly now: () => number,
    private readonly random: () => number = Math.random,
  ) {}

  /** Whether it does anything at all. */
  get active(): boolean {
    return this.config.burst > 0 || Object.keys(this.config.sampling).length > 0;
  }

  /** How many lines of this kind were held back since the last one that passed; -1 when this one is held back too. */
  admit(logger: string, level: number, message: string): number {
    if (level > levelValues[this.config.upTo]) return 0;
    const name = `${logger}\n${message}`;
    const now = this.now();
    if (now >= this.windowEnds) this.beginWindow(now);
    let kind = this.kinds.get(name);
    if (!kind) {
      if (this.kinds.size >= maxKinds) return 0;
      kind = { passed: 0, suppressed: this.untold.get(name) ?? 0 };
      this.untold.delete(name);
      this.kinds.set(name, kind);
    }
    const { burst, sampling } = this.config;
    const share = Object.hasOwn(sampling, logger) ? sampling[logger]! : (sampling['*'] ?? 1);
    if ((burst > 0 && kind.passed >= burst) || (share < 1 && this.random() >= share)) {
      kind.suppressed += 1;
      return -1;
    }
    kind.passed += 1;
    const { suppressed } = kind;
    kind.suppressed = 0;
    return suppressed;
  }

  /** What was held back waits for the next line of its kind, however late it comes; of very many kinds, the oldest are given up. */
  private beginWindow(now: number): void {
    for (const [name, { suppressed }] of this.kinds) if (suppressed > 0) this.untold.set(name, suppressed);
    for (const name of this.untold.keys()) {
      if (this.untold.size <= maxKinds) break;
      this.untold.delete(name);
    }
    this.kinds = new Map();
    this.windowEnds = now + this.config.windowMs;
  }
}
