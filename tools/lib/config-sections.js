'use strict';

const { existsSync } = require('node:fs');
const path = require('node:path');
const { root } = require('../runner/paths.js');
const { packages } = require('./packages.js');

/**
 * Every section of the configuration that some module of the repository reads, each class once:
 * `{ section, Config, folder }`, where `folder` is that of the package whose module declares it.
 */
async function configSections() {
  const { SectionDeclaration } = require('@core-infra/kernel');
  const found = new Map();
  for (const { name, folder, entries } of inOrder(packages())) {
    if (!entries.some(({ subpath, source }) => subpath === '.' && existsSync(path.join(root, source)))) continue;
    for (const exported of entries
      .filter(isForApps)
      .flatMap(({ subpath }) => Object.values(require(name + subpath.slice(1))))) {
      if (typeof exported !== 'function' || typeof exported.forRootAsync !== 'function') continue;
      for (const declaration of await declarationsOf(exported.forRootAsync(), SectionDeclaration)) {
        const { section, Config } = declaration;
        if (!found.has(Config)) found.set(Config, { section, Config, folder });
      }
    }
  }
  return [...found.values()].sort(
    (a, b) => rank(a) - rank(b) || (a.section < b.section ? -1 : a.section > b.section ? 1 : 0),
  );
}

/** Commands and what specs import read no configuration of their own. */
const isForApps = ({ subpath }) => subpath !== './cli' && subpath !== './testing';

/** Core imports modules of others, so that it comes after them. */
const inOrder = all => all.toSorted((a, b) => Number(a.folder === 'libs/core') - Number(b.folder === 'libs/core'));

/** Who the app is comes first. */
const rank = ({ section }) => (['app', 'development'].includes(section) ? ['app', 'development'].indexOf(section) : 2);

/** Those among the providers of a dynamic module, and of what it imports. */
async function declarationsOf(imported, SectionDeclaration) {
  const { providers = [], imports = [] } = (await imported) ?? {};
  const nested = await Promise.all(imports.map(one => declarationsOf(one, SectionDeclaration)));
  const own = providers.map(provider => provider.useValue).filter(value => value instanceof SectionDeclaration);
  return [...own, ...nested.flat()];
}

module.exports = { configSections };
