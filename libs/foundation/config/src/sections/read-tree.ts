import { type Candidate, type ConfigClass, type ConfigProblem, shapeOf } from '@core-infra/kernel';
import { camelKey, findSection, type TreeNode } from '../sources/tree.js';
import { type LayerReading, settle, takeApart } from './occurrence.js';
import type { References } from './references.js';
import { keysOf } from './section-keys.js';

/** Reads a class's fields from a file or from the flags. Keys that it does not know are left to {@link findUnknownKeys}. */
export function readTree(root: TreeNode, section: string, Config: ConfigClass, references: References): LayerReading {
  const shape = shapeOf(Config);
  const keys = keysOf(Config);
  const occurrences: Candidate[] = [];
  const problems: ConfigProblem[] = [];
  const notices: string[] = [];
  const walk = (nodes: readonly TreeNode[], prefix: string) => {
    for (const node of nodes) {
      const path = prefix + camelKey(node.key);
      const meaning = keys.get(path);
      if (!meaning || node.value === null) continue;
      if (meaning.kind === 'group') walk(node.children ?? [], `${path}.`);
      else if (meaning.kind === 'ignored')
        notices.push(`${section}.${node.key} (${node.source}) has no effect: ${meaning.reason}`);
      else if (meaning.kind === 'compound') {
        const parts = takeApart(section, shape, meaning.compound, node, references);
        occurrences.push(...parts.occurrences);
        problems.push(...parts.problems);
      } else {
        const { field, unit } = meaning;
        const value = field.kind === 'string' && node.text !== undefined ? node.text : node.value;
        occurrences.push({ path: field.path, value, source: node.source, unit });
      }
    }
  };
  for (const node of findSection(root, section)) walk(node.children ?? [], '');
  const settled = settle(section, shape, occurrences);
  return { candidates: settled.candidates, problems: [...problems, ...settled.problems], notices };
}
