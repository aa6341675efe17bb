import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Clock } from '@core-infra/kernel';
import { parseFlagDocument } from '../../../src/evaluation/validate.js';
import { FileFlagStore } from '../../../src/stores/file/file-flag.store.js';
import { useFolder } from '../../support/use-folder.js';
import { flagStoreContract } from '../../support/store.contract.js';

const folder = useFolder();
let count = 0;

flagStoreContract(
  'a file',
  async () => {
    const path = join(folder.path, `flags-${(count += 1)}.json`);
    await writeFile(path, '{ "flags": {} }');
    await utimes(path, 0, 0);
    const parse = (text: string) => parseFlagDocument(text, { source: path });
    return () =>
      Promise.resolve({
        store: new FileFlagStore({ path, parse, clock: Clock.system, pollMs: 50, settleMs: 0 }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
  },
  { shared: true, counts: false },
);
