import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../programs.js';
import { defineService, type ServiceDefinition } from '../service.definition.js';

const PACKAGE = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0';
/** Go calls the program `server`, which is nobody's name. */
const BY_GO =
  `GOBIN=$PWD/.dev-services/bin go install ${PACKAGE} && ` +
  'mv .dev-services/bin/server .dev-services/bin/toxiproxy-server';

/** Toxiproxy, for faults in front of a server: no server of a project. Its address is that of its HTTP interface. */
export const toxiproxy: ServiceDefinition = defineService({
  name: 'toxiproxy',
  env: ['TOXIPROXY_URL'],
  optional: true,
  url: ({ port }) => `http://127.0.0.1:${port}`,
  ready: async url => void (await fetch(`${url}/version`)),
  isInstalled: () => find() !== undefined,
  native: place => {
    const command = find();
    if (command === undefined) return Promise.resolve(undefined);
    const proxies = join(place.folder, 'proxies.json');
    return Promise.resolve({
      how: 'installed',
      prepare: () => {
        writeFileSync(proxies, '[]');
        return Promise.resolve();
      },
      // The file is there so that a process that has lost its guard is recognised by its folder.
      start: port => ({ command, args: ['-host', '127.0.0.1', '-port', String(port), '-config', proxies] }),
      stopSignal: 'SIGTERM',
      endSignal: 'SIGKILL',
      isTransient: log => /address already in use/.test(log),
    });
  },
  missing: `Run \`${process.platform === 'darwin' ? 'brew install toxiproxy' : BY_GO}\``,
});

function find(): string | undefined {
  return findProgram('toxiproxy-server', 'TOXIPROXY_BIN');
}
