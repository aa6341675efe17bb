import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, LineCounter, parseDocument, stringify } from 'yaml';
import { pathOf, type TextPlaces } from '../evaluation/places.js';
import type { FlagProblem } from '../errors.js';
import type { FlagFormat } from './flag-format.js';

/** A text of YAML 1.2, in which `on` and `off` are texts. */
class YamlPlaces implements TextPlaces {
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;
  private read: { readonly value: unknown } | undefined;

  constructor(text: string) {
    this.document = parseDocument(text, { lineCounter: this.lines, merge: true });
  }

  syntaxProblem(): FlagProblem | undefined {
    const { errors, warnings } = this.document;
    // A tag that is not known would be dropped, and its value be taken as it is.
    const [error = warnings.find(({ code }) => code === 'TAG_RESOLVE_FAILED')] = errors;
    if (!error) return this.aliasProblem();
    const message = error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    return { ...this.at(error.pos[0]), pointer: '', message: `it is not YAML: ${message}` };
  }

  /** The parser refuses them. */
  repeatedKeys(): Iterable<FlagProblem> {
    return [];
  }

  placeOf(pointer: string): { line: number; column: number } {
    const path = pathOf(pointer);
    for (let depth = path.length; depth > 0; depth -= 1) {
      const node = this.document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return this.at(node.range[0]);
    }
    return this.at(0);
  }

  /** As JSON: what that has no place for is no part of a flag. */
  value(): unknown {
    this.read ??= { value: JSON.parse(JSON.stringify(this.document.toJS({ maxAliasCount: 100 }) ?? null)) as unknown };
    return this.read.value;
  }

  /** Aliases of aliases may stand for far more than is written. */
  private aliasProblem(): FlagProblem | undefined {
    try {
      this.value();
      return undefined;
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      return { ...this.at(0), pointer: '', message: `its aliases cannot be resolved: ${error.message}` };
    }
  }

  private at(offset: number): { line: number; column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

/** Other readers go by YAML 1.1, where a bare `off` is false: it is written in quotes. */
const written = { lineWidth: 0, compat: 'yaml-1.1', aliasDuplicateObjects: false } as const;

/** Half of a file of YAML is often a whole one; comments and order outlive a change. */
export const yaml: FlagFormat = {
  open: text => new YamlPlaces(text),
  tellsItsEnd: false,
  empty: 'flags: {}\n',
  rewrite: (text, document, changed) => {
    const whole = parseDocument(text, { merge: true, compat: written.compat });
    const flags = whole.get('flags', true);
    if (isMap(flags)) {
      if (flags.items.length === 0) flags.flow = false;
      for (const [flag, definition] of Object.entries(changed))
        if (definition === null) flags.delete(flag);
        else flags.set(flag, whole.createNode(definition));
      const rewritten = whole.toString({ lineWidth: 0 });
      if (isDeepStrictEqual(valueOf(rewritten), document)) return rewritten;
    }
    // Flags that are merged in from elsewhere cannot be changed where they stand.
    return stringify(document, written);
  },
};

/** Nothing for what cannot be read. */
function valueOf(text: string): unknown {
  const places = new YamlPlaces(text);
  return places.syntaxProblem() ? undefined : places.value();
}
