import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CliCommand, CliContext } from '@core-infra/kernel';
import { asyncApiOf } from './asyncapi.document.js';
import { type KnownEvents, knownEvents } from './asyncapi.events.js';
import { classSchemaOf } from './asyncapi.schema.js';

/** What is known of the app in its package.json, where the command is run. */
async function packageHere(): Promise<{ readonly name: string; readonly version: string }> {
  const found = await readFile('package.json', 'utf8').catch(() => '{}');
  const { name = 'app', version = '0.0.0' } = JSON.parse(found) as { name?: string; version?: string };
  return { name, version };
}

async function eventsOf({ app, output }: CliContext): Promise<KnownEvents> {
  const { name } = await packageHere();
  const known = knownEvents(await app.inspect(), name);
  const undefinedTypes = known.handlers.filter(({ type }) => !known.definitions.some(found => found.type === type));
  for (const { name: handler, type } of undefinedTypes)
    output.note(`${handler} handles "${type}", of which no definition is known: its data is not described.`);
  return known;
}

async function write(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** `core-infra events …`: what the events of an app look like, for who reads them elsewhere. */
export const eventCommands: readonly CliCommand[] = [
  {
    usage: 'events schemas',
    summary: 'A JSON Schema (draft 07) of the data of each event that the app handles, or names in messaging.events',
    options: [['--out <folder>', 'write <type>.v<version>.json files there (default: docs/events)']],
    examples: ['core-infra --app dist/app.module.js events schemas --out docs/events'],
    async run(context) {
      const { definitions } = await eventsOf(context);
      const out = String(context.options['out'] ?? join('docs', 'events'));
      const rows: Record<string, unknown>[] = [];
      for (const definition of definitions) {
        const { type, version } = definition;
        if ((definition.schema as unknown) === Buffer) continue;
        const { schema, nested } = classSchemaOf(definition, '#/definitions/');
        const file = join(out, `${type}.v${version}.json`);
        await write(file, {
          $schema: 'http://json-schema.org/draft-07/schema#',
          title: `${type}, version ${version}`,
          ...schema,
          ...(Object.keys(nested).length > 0 && { definitions: nested }),
        });
        rows.push({ type, version, file });
      }
      context.output.rows(rows, {
        empty: 'No event is known: handlers name none by a definition, nor does messaging.events.',
      });
    },
  },
  {
    usage: 'events asyncapi',
    summary:
      'An AsyncAPI 3 document of the events that the app handles, and of those in messaging.events, which it publishes',
    options: [
      ['--out <file>', 'write it there, in place of stdout'],
      ['--title <text>', "the app's name (default: of package.json)"],
      ['--api-version <text>', "the document's version (default: of package.json)"],
    ],
    examples: ['core-infra --app dist/app.module.js events asyncapi --out docs/asyncapi.json'],
    async run(context) {
      const { options, output } = context;
      const { name, version } = await packageHere();
      const info = { title: String(options['title'] ?? name), version: String(options['apiVersion'] ?? version) };
      const document = asyncApiOf(await eventsOf(context), info);
      const { out } = options;
      if (typeof out !== 'string') return output.text(JSON.stringify(document, null, 2), { always: true });
      await write(out, document);
      output.text(out);
    },
  },
];
