import { isDeepStrictEqual } from 'node:util';
import { type ConfigClass, type ConfigProblem, crossChecks, shapeOf } from '@core-infra/kernel';
import { viewOf, type View } from './view.js';

/** What a reload would change in one section, ready to be put in force. */
export interface PreparedChange {
  /** Paths of live fields with a new value. */
  readonly applied: readonly string[];
  /** Paths of fields with a new value that needs a restart. */
  readonly restart: readonly string[];
  /** Rules between fields that the new live values break as long as the others keep theirs. */
  readonly problems: readonly ConfigProblem[];
  commit(): void;
}

/** A section that was handed out, and the values it has now. */
export class Binding<C extends object = object> {
  private readonly made: View<C>;
  /** The last values that were loaded, those that wait for a restart included. */
  private loaded: ReadonlyMap<string, unknown>;

  constructor(
    readonly section: string,
    readonly Config: ConfigClass<C>,
    readonly given: object | undefined,
    config: C,
  ) {
    this.loaded = valuesOf(Config, config);
    this.made = viewOf(Config, path => this.loaded.get(path));
  }

  get view(): C {
    return this.made.view;
  }

  /** Compares with a new configuration. Nothing changes before `commit`. */
  prepare(config: C): PreparedChange {
    const next = valuesOf(this.Config, config);
    const changed = [...next].flatMap(([path, value]) =>
      isDeepStrictEqual(value, this.loaded.get(path)) ? [] : [path],
    );
    const { cells } = this.made;
    const applied = changed.filter(path => cells.has(path));
    return {
      applied,
      restart: changed.filter(path => !cells.has(path)),
      problems: applied.length === 0 ? [] : this.check(next),
      commit: () => {
        for (const path of applied) cells.get(path)!.value = next.get(path);
        this.loaded = next;
      },
    };
  }

  private check(next: ReadonlyMap<string, unknown>): ConfigProblem[] {
    const { cells, view } = this.made;
    const inForce = valuesOf(this.Config, view);
    const mixed = viewOf(this.Config, path => (cells.has(path) ? next : inForce).get(path)).view;
    return [...crossChecks(this.Config, mixed)].map(({ path, expected }) => ({
      key: `${this.section}.${path}`,
      expected: `${expected}, with the values that need a restart as they are`,
    }));
  }
}

function valuesOf<C extends object>(Config: ConfigClass<C>, config: C): ReadonlyMap<string, unknown> {
  const read = (path: string) =>
    path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], config);
  return new Map(shapeOf(Config).fields.map(({ path }) => [path, read(path)]));
}
