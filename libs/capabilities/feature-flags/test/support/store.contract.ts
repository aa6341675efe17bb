import type { FlagDefinition } from '../../src/flag-document.js';
import type { FlagSnapshot, FlagStore } from '../../src/flag-store.js';
import { eventually } from '@core-infra/testing';

export interface OpenStore extends AsyncDisposable {
  readonly store: FlagStore;
}

export interface StoreFeatures {
  /** Whether what one holder changes reaches the others. */
  readonly shared: boolean;
  /** Whether versions are 1, 2, 3; else they are numbers that grow. @default true */
  readonly counts?: boolean;
}

export const on: FlagDefinition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
export const off: FlagDefinition = { ...on, defaultVariant: 'off' };

/**
 * What every store of flags promises.
 * @param place makes an empty place, and returns what opens a store on it, again and again
 */
export function flagStoreContract(
  name: string,
  place: () => Promise<() => Promise<OpenStore>>,
  { shared, counts = true }: StoreFeatures,
): void {
  /** The version after so many changes of an empty store. */
  const after = (changes: number): number => (counts || changes === 0 ? changes : (expect.any(Number) as number));
  describe(`a store of flags: ${name}`, () => {
    it('is empty at version 0, and counts its changes', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      expect(await store.read()).toMatchObject({ version: 0, document: { flags: {} } });
      expect(await store.change({ flag: 'a', to: on, by: 'ann' })).toMatchObject({ version: after(1) });
      expect(await store.change({ flag: 'b', to: off, by: 'bob' })).toMatchObject({ version: after(2) });
      expect(await store.change({ flag: 'a', to: null, by: 'bob' })).toMatchObject({ version: after(3) });
      expect(await store.read()).toMatchObject({ version: after(3), document: { flags: { b: off } } });
    });

    it('keeps who changed what, from what, to what, and when: newest first', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      const began = Date.now();
      await store.change({ flag: 'a', to: on, by: 'ann' });
      await store.change({ flag: 'b', to: on, by: 'ann' });
      await store.change({ flag: 'a', to: off, by: 'bob' });
      const history = await store.history();
      expect(history.map(({ at: _, ...entry }) => entry)).toEqual([
        { version: after(3), by: 'bob', flag: 'a', from: on, to: off },
        { version: after(2), by: 'ann', flag: 'b', from: null, to: on },
        { version: after(1), by: 'ann', flag: 'a', from: null, to: on },
      ]);
      for (const { at } of history) {
        expect(new Date(at).toISOString()).toBe(at);
        expect(Date.parse(at)).toBeGreaterThanOrEqual(began - 1);
      }
      const [third, , first] = history;
      expect(await store.history({ flag: 'a' })).toEqual([third, first]);
      expect(await store.history({ limit: 1 })).toEqual([third]);
      expect(await store.history({ flag: 'nobody' })).toEqual([]);
    });

    it('refuses a change on top of a version that is no longer the newest', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      const one = await store.change({ flag: 'a', to: on, by: 'ann', ifVersion: 0 });
      const two = await store.change({ flag: 'b', to: on, by: 'ann', ifVersion: one.version });
      await expect(store.change({ flag: 'a', to: off, by: 'bob', ifVersion: one.version })).rejects.toMatchObject({
        code: 'INFRA_FLAGS_CONFLICT',
        expected: one.version,
        found: two.version,
      });
      expect(two.version).toBeGreaterThan(one.version);
      expect(await store.read()).toMatchObject({ version: two.version, document: { flags: { a: on } } });
    });

    it('refuses a definition that is not valid, and stays as it was', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      await store.change({ flag: 'a', to: on, by: 'ann' });
      const bad = { ...on, state: 'PERHAPS' } as unknown as FlagDefinition;
      await expect(store.change({ flag: 'b', to: bad, by: 'bob' })).rejects.toMatchObject({
        code: 'INFRA_FLAGS_INVALID',
        message: expect.stringContaining('/flags/b/state'),
      });
      expect(await store.read()).toMatchObject({ version: after(1), document: { flags: { a: on } } });
      expect(await store.history()).toHaveLength(1);
    });

    it.each([
      ['none', ''],
      ['a blank', 'a b'],
      ['a newline', 'a\nb'],
      ['a control character', 'a\u0000b'],
      ['10 KB', 'x'.repeat(10_000)],
      ['__proto__', '__proto__'],
      ['constructor', 'constructor'],
    ])('refuses a name: %s', async (_, name) => {
      await using opened = await (await place())();
      await expect(opened.store.change({ flag: name, to: on, by: 'ann' })).rejects.toMatchObject({
        code: expect.stringMatching(/^INFRA_FLAGS_/),
      });
      expect(await opened.store.read()).toMatchObject({ version: 0 });
      expect(Object.getPrototypeOf({} as FlagSnapshot)).toBe(Object.prototype);
    });

    it('does nothing for a change that changes nothing', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      await store.change({ flag: 'a', to: on, by: 'ann' });
      expect(await store.change({ flag: 'a', to: { ...on }, by: 'bob' })).toMatchObject({ version: after(1) });
      expect(await store.change({ flag: 'b', to: null, by: 'bob' })).toMatchObject({ version: after(1) });
      expect(await store.history()).toHaveLength(1);
    });

    it('changes several flags as one, each with its line, and those that stay as they are without', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      await store.changeAll({ flags: { a: on, b: on, gone: on }, by: 'ann' });
      expect(await store.changeAll({ flags: { a: on, b: off, gone: null, none: null }, by: 'bob' })).toMatchObject({
        version: after(2),
      });
      const { version, document } = await store.read();
      expect(document.flags).toEqual({ a: on, b: off });
      const lines = await store.history();
      expect(lines.slice(0, 2).map(({ flag, from, to }) => ({ flag, from, to }))).toEqual(
        expect.arrayContaining([
          { flag: 'b', from: on, to: off },
          { flag: 'gone', from: on, to: null },
        ]),
      );
      expect(lines.map(line => [line.by, line.version === version])).toEqual([
        ['bob', true],
        ['bob', true],
        ['ann', false],
        ['ann', false],
        ['ann', false],
      ]);
    });

    it('changes none of several flags where one of them is refused, or the version is no longer the newest', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      const requiring = (requires: string) => ({ ...on, metadata: { requires } });
      // One at a time they would be refused: each needs the other one to be there first, or to go first.
      await store.changeAll({ flags: { a: requiring('b'), b: on }, by: 'ann' });
      const refused = store.changeAll({ flags: { c: on, b: null }, by: 'bob' });
      await expect(refused).rejects.toMatchObject({ code: 'INFRA_FLAGS_INVALID' });
      const late = store.changeAll({ flags: { c: on, d: on }, by: 'bob', ifVersion: 0 });
      await expect(late).rejects.toMatchObject({ code: 'INFRA_FLAGS_CONFLICT', flag: undefined });
      expect(await store.read()).toMatchObject({
        version: after(1),
        document: { flags: { a: requiring('b'), b: on } },
      });
      expect(await store.history()).toHaveLength(2);
      await store.changeAll({ flags: { b: null, a: null }, by: 'bob' });
      expect((await store.read()).document.flags).toEqual({});
    });

    it('loses none of many changes at once', async () => {
      await using opened = await (await place())();
      const { store } = opened;
      const names = Array.from({ length: 20 }, (_, at) => `flag-${at}`);
      await Promise.all(names.map(flag => store.change({ flag, to: on, by: 'ann' })));
      const { version, document } = await store.read();
      expect(Object.keys(document.flags).sort()).toEqual([...names].sort());
      expect(version).toEqual(after(20));
      const versions = (await store.history({ limit: 100 })).map(entry => entry.version);
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => b - a));
      expect(versions).toHaveLength(20);
      expect(versions[0]).toBe(version);
    });

    if (!shared) return;

    it('tells other holders of every change, until they end it', async () => {
      const open = await place();
      await using one = await open();
      await using two = await open();
      await two.store.read();
      const seen: FlagSnapshot[] = [];
      const end = await two.store.watch(snapshot => seen.push(snapshot), fail);
      await one.store.change({ flag: 'a', to: on, by: 'ann' });
      await eventually(() => expect(seen.at(-1)).toMatchObject({ version: after(1), document: { flags: { a: on } } }));
      await end();
      await one.store.change({ flag: 'a', to: off, by: 'ann' });
      expect(await two.store.read()).toMatchObject({ version: after(2) });
      expect(seen.at(-1)).toMatchObject({ version: after(1) });
    });

    it('is there again after it was closed', async () => {
      const open = await place();
      await using first = await open();
      await first.store.change({ flag: 'a', to: on, by: 'ann' });
      await first[Symbol.asyncDispose]();
      await using again = await open();
      expect(await again.store.read()).toMatchObject({ version: after(1), document: { flags: { a: on } } });
      expect(await again.store.history()).toMatchObject([{ by: 'ann' }]);
    });
  });
}

const fail = (error: unknown): void => {
  throw error;
};
