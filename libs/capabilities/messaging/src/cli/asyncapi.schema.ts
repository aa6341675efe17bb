// @ts-expect-error -- the file has its types elsewhere
import { defaultMetadataStorage as untyped } from 'class-transformer/cjs/storage.js';
import type { defaultMetadataStorage as Typed } from 'class-transformer/types/storage.js';
import { getMetadataStorage } from 'class-validator';
import { targetConstructorToSchema } from 'class-validator-jsonschema';
import { BadEventDefinitionError } from '../errors.js';
import type { EventDefinition } from '../events/event-definition.js';

const defaultMetadataStorage = untyped as typeof Typed;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The class of an event as JSON Schema, and the classes in it by name. */
export interface ClassSchema {
  readonly schema: JsonSchema;
  readonly nested: Readonly<Record<string, JsonSchema>>;
}

type Class = abstract new (...args: never[]) => unknown;

/**
 * What the decorators of class-validator say of an event's data, and `@Type` of the classes in it.
 * @param prefix of the references to classes in it, e.g. `#/definitions/`
 * @throws BadEventDefinitionError when two classes in it have one name
 */
export function classSchemaOf({ type, schema: root }: EventDefinition, prefix: string): ClassSchema {
  const named = new Map<string, Class>();
  const visit = (found: Class): void => {
    for (const inner of classesIn(found)) {
      const known = named.get(inner.name);
      if (known === inner) continue;
      if (known) throw new BadEventDefinitionError(type, `two classes in its data are called ${inner.name}`);
      named.set(inner.name, inner);
      visit(inner);
    }
  };
  visit(root);
  const schemaOf = (of: Class): JsonSchema =>
    targetConstructorToSchema(of, {
      refPointerPrefix: prefix,
      classTransformerMetadataStorage: defaultMetadataStorage,
    }) as JsonSchema;
  return {
    schema: schemaOf(root),
    nested: Object.fromEntries([...named].map(([name, inner]) => [name, schemaOf(inner)])),
  };
}

/** Classes of the fields that are validated as nested ones. */
function classesIn(found: Class): readonly Class[] {
  const fields = getMetadataStorage().getTargetValidationMetadatas(found, '', true, false);
  const nested = new Set(
    fields.filter(({ type }) => type === 'nestedValidation').map(({ propertyName }) => propertyName),
  );
  return [...nested].flatMap(field => {
    const inner: unknown = defaultMetadataStorage.findTypeMetadata(found, field)?.typeFunction();
    return typeof inner === 'function' ? [inner as Class] : [];
  });
}
