import type { ConfigProblem } from '@core-infra/kernel';

/** A source that could not be read at all, or what was wrong at one place of it. */
export class SourceProblem extends Error {
  constructor(
    readonly source: string,
    readonly expected: string,
    readonly got?: string,
  ) {
    super(`${source}: expected ${expected}`);
  }

  /** The same as a problem of the configuration, under the file's name. */
  toConfigProblem(): ConfigProblem {
    return {
      key: this.source.replace(/:\d+$/, ''),
      source: this.source,
      expected: this.expected,
      got: this.got,
    };
  }
}
