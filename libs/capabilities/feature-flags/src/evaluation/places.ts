import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { FlagProblem } from '../errors.js';

/** A text that was read, for saying where in it something is. */
export interface TextPlaces {
  /** Why it cannot be read; nothing when it can. */
  syntaxProblem(): FlagProblem | undefined;
  /** Keys that are there twice, where reading it would silently take one of them. */
  repeatedKeys(): Iterable<FlagProblem>;
  /** Line and column of what a JSON pointer points to, or of the nearest thing around it that is there. */
  placeOf(pointer: string): { line: number; column: number };
  /** What it says, as JSON would have it. */
  value(): unknown;
}

export type OpenText = (text: string) => TextPlaces;

export const openJson: OpenText = text => new JsonPlaces(text);

/** A JSON pointer as a list of keys. */
export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A text of JSON. */
export class JsonPlaces implements TextPlaces {
  private readonly root: Node | undefined;
  private readonly errors: ParseError[] = [];

  constructor(private readonly text: string) {
    this.root = parseTree(text, this.errors, { disallowComments: true });
  }

  syntaxProblem(): FlagProblem | undefined {
    const [error] = this.errors;
    if (!error) return this.root ? undefined : { ...this.at(0), pointer: '', message: 'it is empty' };
    const found = error.offset >= this.text.trimEnd().length ? ', at the end of the text' : '';
    const what = printParseErrorCode(error.error)
      .replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
      .trim();
    return { ...this.at(error.offset), pointer: '', message: `it is not JSON: ${what}${found}` };
  }

  *repeatedKeys(node: Node | undefined = this.root, pointer: string = ''): Iterable<FlagProblem> {
    if (!node?.children) return;
    const seen = new Set<string>();
    for (const [index, child] of node.children.entries()) {
      if (node.type === 'array') {
        yield* this.repeatedKeys(child, `${pointer}/${index}`);
        continue;
      }
      const [key, value] = child.children ?? [];
      const name = String(key?.value);
      const place = `${pointer}/${escaped(name)}`;
      if (seen.has(name)) yield { ...this.at(child.offset), pointer: place, message: 'it is there twice' };
      seen.add(name);
      yield* this.repeatedKeys(value, place);
    }
  }

  value(): unknown {
    return JSON.parse(this.text);
  }

  placeOf(pointer: string): { line: number; column: number } {
    const path = pathOf(pointer);
    for (let depth = path.length; depth > 0 && this.root; depth -= 1) {
      const node = this.nodeAt(path.slice(0, depth));
      if (node) return this.at(node.offset);
    }
    return this.at(this.root?.offset ?? 0);
  }

  private nodeAt(path: readonly string[]): Node | undefined {
    let node = this.root;
    for (const part of path) {
      if (!node) return undefined;
      node = findNodeAtLocation(node, [node.type === 'array' ? Number(part) : part]);
    }
    return node;
  }

  private at(offset: number): { line: number; column: number } {
    const before = this.text.slice(0, offset).split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1 };
  }
}

/** A key as a part of a JSON pointer. */
export function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
