import { fileURLToPath } from 'node:url';
import { type ConfigProblem, isForbiddenKey, reasonOf, type SecretStore } from '@core-infra/kernel';
import { SourceProblem } from '../sources/problems.js';
import { readTextFile } from '../sources/text-file.js';

/** A value with the references in it followed; `undefined` where one could not be. */
export interface Followed {
  readonly value: unknown;
  readonly source: string;
  readonly masked: boolean;
}

type Outcome = { readonly text: string } | { readonly expected: string; readonly got?: string };

/** Who answers `secret://`: a store; nobody yet, as the store itself is being configured; or nobody at all, in a command that connects to nothing. */
export type SecretsBy = SecretStore | 'nobody' | 'boot' | 'offline';

/**
 * Follows `file:///run/secrets/x` and `secret://name`, each at most once. Secrets come from a store that answers later, so reading is done
 * twice: the first reading notes the names that are wanted, {@link fetch} asks for them, the second reading has them.
 */
export class References {
  private readonly files = new Map<string, Outcome>();
  private readonly secrets = new Map<string, Outcome>();
  private readonly wanted = new Set<string>();
  /** Absolute paths of the files that values came from. */
  readonly paths = new Set<string>();

  constructor(private readonly secretsBy: SecretsBy = 'nobody') {}

  /** Follows the references in a value: text, or a list or map of text. */
  follow(value: unknown, source: string): Followed {
    const targets: string[] = [];
    let failed = false;
    const walk = (node: unknown): unknown => {
      if (typeof node === 'string') {
        const outcome = this.outcomeOf(node);
        if (!outcome) return node;
        targets.push(node);
        if ('text' in outcome) return outcome.text;
        failed = true;
        return undefined;
      }
      if (Array.isArray(node)) return node.map(walk);
      return isRecord(node)
        ? Object.fromEntries(
            Object.entries(node)
              .filter(([key]) => !isForbiddenKey(key))
              .map(([key, item]) => [key, walk(item)]),
          )
        : node;
    };
    const followed = walk(value);
    if (targets.length === 0) return { value, source, masked: false };
    return { value: failed ? undefined : followed, source: `${source} -> ${targets.join(', ')}`, masked: true };
  }

  /** Why a value could not be followed. Nothing where the reason is that nobody can be asked: see {@link isPending}. */
  problemsOf(value: unknown, key: string, source: string): ConfigProblem[] {
    return [...texts(value)].flatMap(text => {
      const outcome = this.outcomeOf(text);
      return outcome && 'expected' in outcome && !this.isPending(text) ? [{ key, source, ...outcome }] : [];
    });
  }

  /** Whether a value waits for a secret that nobody was asked for: it may well be right. */
  isPending(value: unknown): boolean {
    return [...texts(value)].some(text => {
      const name = secretName(text);
      return name !== undefined && !this.secrets.has(name) && (this.secretsBy === 'offline' || this.wanted.has(name));
    });
  }

  /** Asks the store for every secret that was wanted so far. */
  async fetch(): Promise<void> {
    const store = this.secretsBy;
    if (typeof store === 'string') return;
    await Promise.all(
      [...this.wanted].map(async name => {
        try {
          this.secrets.set(name, { text: await store.get(name) });
        } catch (error) {
          this.secrets.set(name, {
            expected: `a secret that the store has`,
            got: `secret://${name}: ${reasonOf(error)}`,
          });
        }
      }),
    );
    this.wanted.clear();
    this.closed = true;
  }

  /** Text of every file that values came from, as it is now. */
  fingerprint(): string[] {
    return [...this.files.keys()].map(url => JSON.stringify(this.readFile(url)));
  }

  private closed = false;

  private outcomeOf(text: string): Outcome | undefined {
    if (/^file:\/\/./.test(text)) return this.fileOutcome(text);
    const name = secretName(text);
    return name === undefined ? undefined : (this.secrets.get(name) ?? this.missingSecret(name));
  }

  private missingSecret(name: string): Outcome {
    if (this.secretsBy === 'nobody') {
      return { expected: 'a module that provides a SecretStore, for secret:// references', got: `secret://${name}` };
    }
    if (this.secretsBy === 'boot') {
      return {
        expected: 'a value of its own: the secret store cannot be configured from itself',
        got: `secret://${name}`,
      };
    }
    if (this.closed) {
      return {
        expected: 'secret:// in files, environment or flags; a factory that has the secret injects SecretStore',
        got: `secret://${name}`,
      };
    }
    this.wanted.add(name);
    return { expected: 'a secret' };
  }

  private fileOutcome(url: string): Outcome {
    let outcome = this.files.get(url);
    if (!outcome) this.files.set(url, (outcome = this.readFile(url)));
    return outcome;
  }

  private readFile(url: string): Outcome {
    try {
      const path = fileURLToPath(url);
      this.paths.add(path);
      return { text: readTextFile(path, path).replace(/\r?\n$/, '') };
    } catch (error) {
      if (error instanceof SourceProblem) {
        return { expected: `${error.expected} at ${error.source}`, got: error.got ?? 'something else' };
      }
      return { expected: 'a file URL with an absolute path, such as file:///run/secrets/name', got: url };
    }
  }
}

function secretName(text: string): string | undefined {
  return /^secret:\/\/(.+)$/.exec(text)?.[1];
}

function* texts(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value) || isRecord(value)) for (const item of Object.values(value)) yield* texts(item);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)
  );
}
