import { Ajv2020 } from 'ajv/dist/2020.js';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(__dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

describe('docs/all-in-one.md', () => {
  it('shows a configuration file that the schema accepts', () => {
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(read('docs/all-in-one.md'))!;
    const { payments, ...ours } = parse(yaml!) as Record<string, unknown>;
    expect(payments).toEqual({ url: 'https://payments.internal' });
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(read('docs/config.schema.json')) as object);
    expect({ valid: validate(ours), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });
});

describe('what is generated of the configuration', () => {
  it('has the sections of all entries of a package', () => {
    const { properties } = JSON.parse(read('docs/config.schema.json')) as { properties: Record<string, object> };
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(['messaging', 'inbox', 'outbox']));
    expect(read('.env.example')).toContain('# OUTBOX_BATCH_BYTES=');
    expect(read('docs/messaging-failures.md')).toContain('| `OUTBOX_IDEMPOTENCY_LEASE_MS`');
  });

  it('has a group of options where a page asks for it, and nowhere else', () => {
    const readme = read('libs/capabilities/messaging/README.md');
    const page = read('docs/messaging-kafka.md');
    expect([readme, page].map(text => text.includes('| `MESSAGING_KAFKA_PARTITIONS`'))).toEqual([false, true]);
    expect([readme, page].map(text => text.includes('| `MESSAGING_DRIVER`'))).toEqual([true, false]);
  });
});

describe('links between documents', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'libs/*/README.md', 'libs/*/*/README.md', 'apps/*/README.md'], {
    cwd: root,
  });

  it.each(documents)('of %s lead somewhere', document => {
    const targets = [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => target!);
    const broken = targets.filter(target => globSync(join(root, document, '..', target)).length === 0);
    expect(broken).toEqual([]);
  });
});
